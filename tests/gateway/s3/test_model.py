"""What is derived from the model, over the whole model."""

from typing import Any
from urllib.parse import quote

import pytest
from botocore.model import ListShape, OperationModel, StructureShape
from botocore.parsers import RestXMLParser
from botocore.serialize import RestXMLSerializer
from botocore.validate import ParamValidator

from gateway.s3 import operations, router
from gateway.s3.ask import Ask
from gateway.s3.faults import CODES, S3Fault
from gateway.s3.protocol import codec, model, target
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import OPERATIONS, s3_operation
from gateway.sign.request import Request
from tests.gateway.s3.samples import sample

operations.load()
NAMES = [operation.name for operation in model.operations()]


def request_of(operation: OperationModel) -> tuple[Request, dict[str, Any], Any]:
    """An operation's request as botocore spells it, with all its members."""
    members = sample(operation.input_shape) if operation.input_shape else {}
    members = {n: v for n, v in members.items() if n not in ("Body", "Bucket", "Key")}
    members |= {n: n.lower() for n in ("Bucket", "Key") if n in _members(operation)}
    spelled = RestXMLSerializer().serialize_to_request(members, operation)
    path = spelled["url_path"]
    query = "&".join(f"{n}={quote(v)}" if v else n for n, v in _pairs(spelled["query_string"]))
    headers = {
        name.lower(): str(value).encode().decode("latin-1")
        for name, value in spelled["headers"].items()
    }
    inline, _, literal = path.partition("?")
    query = "&".join(part for part in (literal, query) if part)
    return Request(spelled["method"], inline, query, headers), members, spelled["body"]


def _members(operation: OperationModel) -> Any:
    return operation.input_shape.members if operation.input_shape else {}


def _timeless(value: Any, shape: Any) -> Any:
    """Without timestamps, which a request keeps in the words of its sender."""
    if isinstance(shape, StructureShape):
        return {
            name: _timeless(each, shape.members[name])
            for name, each in value.items()
            if shape.members[name].type_name != "timestamp"
        }
    return [_timeless(e, shape.member) for e in value] if isinstance(shape, ListShape) else value


def _pairs(query: Any) -> list[tuple[str, str]]:
    return [(n, str(v).lower() if isinstance(v, bool) else str(v)) for n, v in dict(query).items()]


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_of_the_model_is_routed_to_itself(name: str) -> None:
    request, _, _ = request_of(model.operation(name))
    about = target.parse(request, "/mount")
    assert router.route(request.method, about, request.headers) == name


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_request_is_understood_as_botocore_meant_it(name: str) -> None:
    operation = OPERATIONS[name]
    request, members, body = request_of(operation.model)
    about = target.parse(request, "/mount")
    decoded = codec.decode(operation.model, about, request.headers)
    if operation.document and body:
        member, shape = operation.document
        decoded[member] = codec.document(shape, shape.serialization.get("name", member), body)
    assert _timeless(decoded, operation.model.input_shape) == _timeless(
        members, operation.model.input_shape
    )


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_reply_is_understood_by_botocore(name: str) -> None:
    operation = OPERATIONS[name]
    shape = operation.model.output_shape
    members = sample(shape) if shape else {}
    members.pop("Body", None)
    spelled = codec.headers_of(operation.model, members)
    headers = {name: value.encode("latin-1").decode() for name, value in spelled}
    body = codec.body_of(operation.model, members, operation.root)
    response = {"status_code": 200, "headers": headers, "body": body}
    if name == "GetBucketLocation":  # botocore reads this one by hand
        assert f">{members['LocationConstraint']}<".encode() in body
        return
    if shape is None:
        assert (headers, body) == ({}, b"")
        return
    found = RestXMLParser().parse(response, shape)
    found.pop("ResponseMetadata")
    found.pop("Body", None)
    assert found == members


def test_every_reply_that_has_a_document_names_its_root() -> None:
    for name, operation in OPERATIONS.items():
        shape = operation.model.output_shape
        inside = [
            member
            for member, each in (shape.members.items() if shape else ())
            if "location" not in each.serialization and not each.serialization.get("streaming")
        ]
        assert bool(inside) == bool(operation.root), name


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_status_and_says_something(code: str) -> None:
    fault = S3Fault(code)
    assert 300 <= fault.status < 600
    assert fault.message


def declare_unknown_operation() -> None:
    @s3_operation("PutOnShelf")
    def put_on_shelf(ask: Ask) -> Reply:
        return Reply()


def declare_unknown_parameter() -> None:
    @s3_operation("GetBucketAcl")
    def get_bucket_acl(ask: Ask, bucket: str, colour: str) -> Reply:
        return Reply()


def declare_without_required() -> None:
    @s3_operation("GetBucketAcl")
    def get_bucket_acl(ask: Ask) -> Reply:
        return Reply()


def declare_twice() -> None:
    @s3_operation("HeadBucket")
    def head_bucket(ask: Ask, bucket: str) -> Reply:
        return Reply()


@pytest.mark.parametrize(
    "declare",
    [
        declare_unknown_operation,
        declare_unknown_parameter,
        declare_without_required,
        declare_twice,
    ],
)
def test_a_declaration_the_model_contradicts_fails_at_import(declare: Any) -> None:
    with pytest.raises(TypeError):
        declare()


def test_samples_are_valid_for_botocore() -> None:
    for operation in OPERATIONS.values():
        shape = operation.model.input_shape
        if isinstance(shape, StructureShape):
            assert not ParamValidator().validate(sample(shape), shape).has_errors()
