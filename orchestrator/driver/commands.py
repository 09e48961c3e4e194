"""Running other programs: one way, with a time limit and the two driver errors."""

import subprocess
from collections.abc import Mapping, Sequence

from orchestrator.driver.ports import Refused, Transient


def run(
    argv: Sequence[str],
    *,
    text: str | None = None,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a program to its end and return what it printed.

    Args:
        argv: the program and its arguments; never a shell line.
        text: what it reads on its standard input; nothing by default.
        timeout: seconds after which it is killed.
        env: its whole environment; ours by default.

    Raises:
        Transient: it failed or took too long; the message carries what it complained about.
        Refused: the program is not installed.
    """
    try:
        done = subprocess.run(
            argv,
            input="" if text is None else text,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=None if env is None else dict(env),
            check=False,
        )
    except FileNotFoundError as error:
        raise Refused(f"{argv[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise Transient(f"{' '.join(argv[:6])}: no end after {timeout:.0f} s") from error
    if done.returncode != 0:
        raise Transient(f"{' '.join(argv[:6])}: {done.stderr.strip()[-600:]}")
    return done.stdout
