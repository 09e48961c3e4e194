"""Codes, statuses and the error document."""

import pytest
from lxml import etree

from gateway import ids
from gateway.ec2 import faults
from gateway.ec2.faults import Ec2Fault
from gateway.native import NativeFault
from gateway.sign.refusals import Reason, Refusal
from orchestrator.faults import Kind

NATIVE = "01234567-89ab-8cde-8f00-70696c657573"


def translated(kind: str, subject: str, field: str = "", text: str = "no") -> Ec2Fault:
    return faults.from_native(NativeFault(kind, subject, field, text, 431))


@pytest.mark.parametrize("kind", list(Kind))
def test_every_native_kind_has_a_code(kind: Kind) -> None:
    fault = translated(kind, "anything")
    assert (fault.code == "InternalError") == (kind is Kind.BUG)


@pytest.mark.parametrize(
    ("kind", "subject", "field", "code", "status"),
    [
        ("not_found", "virtualmachine", "id", "InvalidInstanceID.NotFound", 400),
        ("not_found", "volume", "id", "InvalidVolume.NotFound", 400),
        ("in_use", "volume", "id", "VolumeInUse", 400),
        ("in_use", "volume", "deviceid", "InvalidDevice.InUse", 400),
        ("mismatch", "volume", "id", "InvalidVolume.ZoneMismatch", 400),
        ("invalid", "volume", "size", "InvalidParameterValue", 400),
        ("no_capacity", "virtualmachine", "", "InsufficientInstanceCapacity", 500),
        ("unauthenticated", "signature", "", "AuthFailure", 401),
        ("unavailable", "", "", "Unavailable", 503),
        ("forbidden", "host", "", "UnauthorizedOperation", 403),
        ("mismatch", "clienttoken", "clienttoken", "IdempotentParameterMismatch", 400),
    ],
)
def test_kind_and_subject_choose_the_code(
    kind: str, subject: str, field: str, code: str, status: int
) -> None:
    fault = translated(kind, subject, field)
    assert (fault.code, fault.status) == (code, status)


def test_native_ids_are_respelled() -> None:
    fault = translated("not_found", "volume", "id", f"There is no volume '{NATIVE}'.")
    assert fault.message == f"There is no volume '{ids.ec2('vol', NATIVE)}'."


def test_a_bug_of_the_cloud_leaks_nothing() -> None:
    assert "secret" not in translated("bug", "volume", "", "secret path").message


@pytest.mark.parametrize("reason", list(Reason))
def test_every_refused_signature_has_a_code(reason: Reason) -> None:
    fault = faults.from_signature(Refusal(reason, "text"))
    assert fault.code in ("IncompleteSignature", "AuthFailure", "RequestExpired")


@pytest.mark.parametrize("prefix", list(ids.KINDS))
def test_every_kind_of_id_has_its_own_codes(prefix: str) -> None:
    fault = faults.from_id(ids.MalformedId(prefix, "x"))
    assert fault.code.endswith(".Malformed")
    assert faults.not_found(prefix, "x").code.endswith(".NotFound")


def test_the_error_document_has_no_namespace_and_carries_any_text() -> None:
    fault = Ec2Fault("Code", "a <b> & \x00 \ud800 é\n")
    root = etree.fromstring(faults.envelope(fault, "req").encode())
    assert root.tag == "Response"
    assert root.findtext("Errors/Error/Code") == "Code"
    assert root.findtext("Errors/Error/Message") == "a <b> & ? ? é\n"
    assert root.findtext("RequestID") == "req"
