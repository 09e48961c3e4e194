"""Changed rules of security groups, brought to every host that must know."""

from dataclasses import dataclass

from orchestrator.engine.workflow import Args, Step, Work, Workflow
from orchestrator.resources import telling
from orchestrator.schema.jobs import Job
from orchestrator.schema.securitygroups import SecurityGroup
from orchestrator.workflows import plugging
from orchestrator.workflows.asking import Ask
from orchestrator.workflows.asking import start as record


@dataclass(frozen=True)
class OfGroup(Args):
    """A job about one security group."""

    group: str


def apply(ask: Ask, group: SecurityGroup) -> Job:
    """Bring a group's rules, as the rows say, to its members' ports."""
    return record(
        ask,
        APPLY,
        OfGroup(group.id),
        resource=("securitygroup", group.id),
        locks=[group.id],
        owner=group.account_id,
    )


def _tell(work: Work[OfGroup]) -> None:
    with work.sessions.read() as db:
        hosts = telling.affected(db, [work.args.group])
    plugging.tell_hosts(work, hosts)


APPLY = Workflow("securitygroup.apply", OfGroup, (Step("tell", _tell),), forward=True)
