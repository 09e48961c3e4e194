"""What policies say to a request: an explicit deny counts most, then an allow, then nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from gateway.policy.language import Choice, Policy, Principal, Principals, Statement
from gateway.policy.patterns import Lookup


class Verdict(Enum):
    """What some policies say: SILENT when none of their statements is about the request."""

    ALLOW = "allow"
    DENY = "deny"
    SILENT = "silent"


@dataclass(frozen=True)
class Question:
    """One request.

    Args:
        action: such as ``s3:GetObject``, in any case.
        resource: its ARN.
        principals: all the names that the caller goes by; none for an anonymous one.
        lookup: what the request says under a condition key.
    """

    action: str
    resource: str
    principals: frozenset[Principal]
    lookup: Lookup


def evaluate(policies: Iterable[Policy], question: Question) -> Verdict:
    """What all of them together say."""
    verdict = Verdict.SILENT
    for policy in policies:
        for statement in policy.statements:
            if (verdict is Verdict.SILENT or not statement.allows) and _about(statement, question):
                if not statement.allows:
                    return Verdict.DENY
                verdict = Verdict.ALLOW
    return verdict


def _about(statement: Statement, question: Question) -> bool:
    """Whether a statement speaks of a request; the cheap questions first."""
    return (
        _chosen(statement.actions, question.action.lower(), question.lookup)
        and _meant(statement.principals, question.principals)
        and _chosen(statement.resources, question.resource, question.lookup)
        and all(condition.holds(question.lookup) for condition in statement.conditions)
    )


def _chosen(choice: Choice, text: str, lookup: Lookup) -> bool:
    return any(each.matches(text, lookup) for each in choice.patterns) is not choice.inverted


def _meant(wanted: Principals | None, caller: frozenset[Principal]) -> bool:
    if wanted is None:
        return True
    return (wanted.anyone or not wanted.names.isdisjoint(caller)) is not wanted.inverted
