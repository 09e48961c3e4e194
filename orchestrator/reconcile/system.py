"""The cloud itself as the one who asks: drift is mended by the workflows that users start."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from orchestrator.resources.scope import Caller

SYSTEM = Caller(
    user_id="system",
    account_id="system",
    account_name="system",
    domain_id="",
    domain_path="/",
    type=1,
)


@dataclass(frozen=True)
class SystemAsk:
    """A request that no user made."""

    db: Session
    caller: Caller = SYSTEM
    command: str = ""
