"""Log lines of the orchestrator and the native API: one form, to standard error."""

import logging


def configure() -> None:
    """Send log records to standard error, where the process's owner keeps them."""
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s [%(threadName)s] %(message)s",
        force=True,
    )
