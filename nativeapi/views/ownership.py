"""What every owned object shows of its owner and of work under way on it."""

from collections.abc import Collection
from dataclasses import dataclass

from nativeapi.call import Call
from orchestrator.resources import accounts, jobs
from orchestrator.resources.accounts import Owner


@dataclass(frozen=True)
class Around:
    """Owners of many objects, and their unfinished jobs."""

    owners: dict[str, Owner]
    jobs: dict[str, str]

    def pending(self, ident: str) -> int | None:
        """The status of the object's job: 0, or None when no work is under way."""
        return 0 if ident in self.jobs else None


def around(call: Call, account_ids: Collection[str], ids: Collection[str]) -> Around:
    """Fetch both for many objects at once.

    Args:
        call: the call.
        account_ids: who owns them.
        ids: the objects.
    """
    return Around(accounts.owners(call.db, account_ids), jobs.pending(call.db, list(ids)))
