"""Who may use a named key that has a policy, in the words of key policies.

A key without one is used by whoever may use the object, see :mod:`gateway.s3.sealing.keys`. One
with a policy is used by those only whom it allows to: ``kms:GenerateDataKey`` to encrypt,
``kms:Decrypt`` to read, and to send the parts of an upload. It is the caller who has to be allowed,
not the owner of the bucket, also where the bucket names the key.

Protocol source: "Key policies in AWS KMS" and "AWS KMS condition keys".
"""

import functools
import json
import logging
from collections.abc import Mapping, Sequence

from gateway import ids
from gateway.policy.evaluate import Question, Verdict, evaluate
from gateway.policy.language import MalformedPolicy, Policy, Vocabulary, parse
from gateway.policy.patterns import Pattern
from gateway.s3.access import actions, conditionkeys
from gateway.s3.access.conditionkeys import Facts
from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.sealing.keys import NamedKey

ENCRYPT, DECRYPT = "kms:GenerateDataKey", "kms:Decrypt"

_KEY = frozenset({"key"})
_CONTEXT = "kms:encryptioncontext:"
_BESIDES = frozenset({"kms:calleraccount", "kms:encryptioncontextkeys", "kms:viaservice"})
_OURS = f"{_CONTEXT}aws:s3:arn"  # S3 binds the key to the object here too, but tells nobody of it
_log = logging.getLogger(__name__)


def require(ask: Ask, key: NamedKey, action: str, context: str | None) -> None:
    """Refuse a caller whom the key's policy, where it has one, does not allow an action.

    Args:
        context: what the writer bound the use of the key to, a JSON document, if they did.

    Raises:
        S3Fault: AccessDenied.
    """
    if not key.policy:
        return
    facts = ask.access.facts
    found = _parsed(key.id, key.policy)
    name = key.arn(ask.options.region)
    bound: dict[str, str] = json.loads(context or "{}")
    question = Question(action, name, facts.principals, lambda each: _said(each, facts, bound))
    if found is None or evaluate((found,), question) is not Verdict.ALLOW:
        raise S3Fault(
            "AccessDenied",
            f"The caller is not authorized to perform {action} on the resource {name}.",
        )


def _said(key: str, facts: Facts, bound: Mapping[str, str]) -> Sequence[str] | None:
    """What the request says under a condition key."""
    if key.startswith(_CONTEXT):
        name = key.removeprefix(_CONTEXT)
        return [value for each, value in bound.items() if each.lower() == name] or None
    if key == "kms:encryptioncontextkeys":
        return list(bound) or None
    if key == "kms:viaservice":
        return [f"s3.{facts.region}.amazonaws.com"]
    if key == "kms:calleraccount":
        return None if facts.caller.anonymous else [ids.owner(facts.caller.account_id)]
    return facts.said(key)


@functools.lru_cache(maxsize=256)
def _parsed(key_id: str, text: str) -> Policy | None:
    """A policy; None for one that is none, which then allows nothing."""
    try:
        return parse(text, _WORDS)
    except MalformedPolicy as error:
        _log.error("the policy of the key %s is none: %s", key_id, error)
        return None


def _actions(pattern: Pattern) -> frozenset[str]:
    return _KEY if pattern.text.lower().startswith(("kms:", "*")) else frozenset()


def _resources(pattern: Pattern) -> frozenset[str]:
    return _KEY if pattern.text.startswith(("arn:aws:kms:", "*")) else frozenset()


def _key(key: str) -> bool:
    if key.startswith(_CONTEXT):
        return key != _OURS
    return key in _BESIDES or (key.startswith("aws:") and conditionkeys.known(key))


_WORDS = Vocabulary(_actions, _resources, _key, actions.principal)
