"""Object lock: which versions stay, and what may be changed of a lock. Pure.

Protocol source: "Locking objects with Object Lock" of the S3 user guide.
"""

from datetime import datetime

from s3store import faults
from s3store.records import COMPLIANCE, GOVERNANCE, Lock

FREE = Lock()


def check_removal(lock: Lock, now: datetime, bypass: bool) -> None:
    """Whether a version may be removed for good.

    Args:
        bypass: the remover may, and wants to, pass over governance retention.

    Raises:
        Locked.
    """
    if lock.hold:
        raise faults.Locked("The version is under a legal hold.")
    if _retained(lock, now) and not (bypass and lock.mode == GOVERNANCE):
        raise faults.Locked(f"The version is retained in mode {lock.mode}.")


def check_change(old: Lock, new: Lock, now: datetime, bypass: bool) -> None:
    """Whether a lock may be replaced: a retention may be prolonged, else it must have ended.

    A legal hold may always be set and lifted.

    Raises:
        Locked.
    """
    if not _retained(old, now) or (old.mode, old.until) == (new.mode, new.until):
        return
    longer = new.until is not None and old.until is not None and new.until >= old.until
    if longer and new.mode == old.mode:
        return
    if old.mode == COMPLIANCE or not bypass:
        raise faults.Locked(f"The version is retained in mode {old.mode}.")


def _retained(lock: Lock, now: datetime) -> bool:
    return bool(lock.mode) and lock.until is not None and lock.until > now
