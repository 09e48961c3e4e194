"""Client tokens: the same request twice is one request.

The token row is written in the transaction that reserves the resource, so whatever dies, a request
that is sent again finds either its first answer or nothing at all.
"""

import hashlib
import json
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from orchestrator.faults import Fault, Kind
from orchestrator.schema.jobs import ClientToken, Job


def replayed(
    db: Session, account_id: str, action: str, token: str | None, params: Mapping[str, object]
) -> Job | None:
    """The job of an earlier request with this token.

    Raises:
        Fault: mismatch, when that request had other parameters.
    """
    if token is None:
        return None
    row = db.scalar(
        select(ClientToken).where(
            ClientToken.account_id == account_id,
            ClientToken.action == action,
            ClientToken.token == token,
        )
    )
    if row is None:
        return None
    if row.digest != _digest(params):
        text = "This client token was used before, with other parameters."
        raise Fault(Kind.MISMATCH, "clienttoken", text, field="clienttoken")
    return db.scalar(select(Job).where(Job.id == row.job_id))


def remember(
    db: Session, job: Job, action: str, token: str | None, params: Mapping[str, object]
) -> None:
    """Tie a token to the job that answers its request."""
    if token is None or job.account_id is None:
        return
    db.add(
        ClientToken(
            account_id=job.account_id,
            action=action,
            token=token,
            digest=_digest(params),
            resource_id=job.resource_id,
            job_id=job.id,
        )
    )


def _digest(params: Mapping[str, object]) -> str:
    text = json.dumps(params, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
