"""Jobs on the wire.

A job's result is not stored: it is the object as it is when somebody asks, shown as the command
that started the job declares. Where the object is gone, or the command shows none, it is success.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from nativeapi import envelopes, faults, references
from nativeapi.call import Call
from nativeapi.declare import View
from nativeapi.references import noun
from nativeapi.registry import COMMANDS
from orchestrator.faults import Fault, Kind
from orchestrator.resources import jobs
from orchestrator.schema.jobs import Job, JobState

Result = Mapping[str, object]

_PENDING, _DONE, _FAILED = 0, 1, 2
_STATUS = {JobState.DONE: _DONE, JobState.FAILED: _FAILED}
_CODES = {_DONE: 0, _FAILED: 530}

_INSTANCE_TYPES = {
    "virtualmachine": "VirtualMachine",
    "volume": "Volume",
    "template": "Template",
    "securitygroup": "SecurityGroup",
    "host": "Host",
    "storagepool": "StoragePool",
    "imagestore": "StoragePool",
}


class JobView(View, noun="asyncjobs"):
    """A job."""

    accountid: Annotated[str | None, "the account it was started for"]
    userid: Annotated[str | None, "the user who started it"]
    cmd: Annotated[str, "the command that started it, or the work it does"]
    jobstatus: Annotated[int, "0 under way, 1 done, 2 failed"]
    jobprocstatus: Annotated[int, "1 when it is stuck and waits for an operator, else 0"]
    jobresultcode: Annotated[int | None, "0 done, 530 failed"]
    jobresulttype: Annotated[str | None, "object, once there is a result"]
    jobresult: Annotated[Mapping[str, object] | None, "the object it worked on, or why it failed"]
    jobinstancetype: Annotated[str | None, "the kind of object it works on"]
    jobinstanceid: Annotated[str | None, "the id of that object"]
    created: Annotated[datetime, "when it was started"]
    jobid: Annotated[str, "the job's id"]


def job_views(call: Call, rows: Sequence[Job]) -> list[JobView]:
    """Jobs, with the results of those that have ended."""
    shown = _shown(call, rows)
    return [_job_view(row, shown.get(row.id)) for row in rows]


def _job_view(row: Job, shown: Result | None) -> JobView:
    status = _STATUS.get(JobState(row.state), _PENDING)
    kind = _INSTANCE_TYPES.get(row.resource_kind)
    return JobView(
        accountid=row.account_id,
        userid=row.user_id,
        cmd=row.command or row.workflow,
        jobstatus=status,
        jobprocstatus=int(row.state == JobState.STUCK),
        jobresultcode=_CODES.get(status),
        jobresulttype=None if status == _PENDING else "object",
        jobresult=_RESULTS[status](row, shown),
        jobinstancetype=kind,
        jobinstanceid=row.resource_id if kind else None,
        created=row.created,
        jobid=row.id,
    )


def _shown(call: Call, rows: Sequence[Job]) -> dict[str, Result]:
    """What the jobs that are done made or changed, by job; all at once, since lists are long."""
    wanted: dict[type[View], list[tuple[Job, str]]] = {}
    for row in rows:
        entry = COMMANDS.get(row.command or "")
        if row.state == JobState.DONE and entry and entry.reply.view:
            wanted.setdefault(entry.reply.view, []).append((row, entry.key))
    found: dict[str, Result] = {}
    for view, jobs_of in wanted.items():
        views = references.views_of(call, view, (row.resource_id for row, _ in jobs_of))
        found |= {
            row.id: {key: envelopes.tree(views[row.resource_id])}
            for row, key in jobs_of
            if row.resource_id in views
        }
    return found


def _nothing_yet(_row: Job, _shown: Result | None) -> None:
    return None


def _success(_row: Job, shown: Result | None) -> Result:
    return shown or {"success": True}


def _failure(row: Job, _shown: Result | None) -> Result:
    kind = Kind(row.fault_kind or Kind.BUG)
    fault = Fault(kind, row.fault_subject or "job", row.fault or "The job failed.")
    return {
        "errorcode": faults.code(fault).error,
        "errortext": fault.public,
        "kind": str(fault.kind),
        "subject": fault.subject,
    }


_RESULTS = {_PENDING: _nothing_yet, _DONE: _success, _FAILED: _failure}


noun(Job, JobView, "job", owned=jobs.find, views=job_views)
