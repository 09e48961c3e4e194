"""The codec, with botocore's own serializer and parser as the other party."""

import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.model import OperationModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from lxml import etree

from gateway.ec2 import codec
from gateway.ec2.faults import Ec2Fault
from tests.gateway.ec2.shapes import value

NAMES = sorted(codec.model().operation_names)
PARSER = create_parser("ec2")
SERIALIZER = create_serializer("ec2", include_validation=False)


def model(name: str) -> OperationModel:
    found = codec.operation(name)
    assert found is not None
    return found


def sent(name: str, params: dict[str, Any]) -> dict[str, str]:
    body = dict(SERIALIZER.serialize_to_request(params, model(name))["body"])
    del body["Action"], body["Version"]
    return {key: str(text) for key, text in body.items()}


def heard(name: str, document: str) -> Any:
    answer = {"status_code": 200, "headers": {}, "body": document.encode()}
    return PARSER.parse(answer, model(name).output_shape)  # type: ignore[arg-type]


def rendered(name: str, reply: dict[str, Any], version: str = codec.API) -> str:
    return codec.render(model(name), reply, version, "req-1")


def refused(name: str, params: dict[str, str]) -> Ec2Fault:
    with pytest.raises(Ec2Fault) as caught:
        codec.parse(model(name), params)
    return caught.value


def test_every_input_that_botocore_sends_is_read_back() -> None:
    wrong = []
    for name in NAMES:
        shape = model(name).input_shape
        given = value(shape) if shape else {}
        if codec.parse(model(name), sent(name, given)) != given:
            wrong.append(name)
    assert len(NAMES) > 800
    assert wrong == []


def test_every_output_is_what_botocore_reads() -> None:
    wrong = []
    for name in NAMES:
        shape = model(name).output_shape
        reply = value(shape) if shape else {}
        read = heard(name, rendered(name, reply))
        metadata = read.pop("ResponseMetadata")
        if read != reply or metadata["RequestId"] != "req-1":
            wrong.append(name)
    assert wrong == []


def test_the_answer_is_in_the_namespace_of_the_version_asked_for() -> None:
    document = rendered("DescribeRegions", {"Regions": []}, "2010-11-15")
    root = etree.fromstring(document.encode())
    space = "{http://ec2.amazonaws.com/doc/2010-11-15/}"
    assert root.tag == f"{space}DescribeRegionsResponse"
    assert [child.tag for child in root] == [f"{space}requestId", f"{space}regionInfo"]
    assert root[0].text == "req-1"


def test_none_is_no_element_and_an_empty_list_an_empty_one() -> None:
    document = rendered("DescribeVolumes", {"Volumes": [], "NextToken": None})
    assert document.endswith("<volumeSet/></DescribeVolumesResponse>")
    assert "nextToken" not in document


def test_times_have_milliseconds_and_booleans_are_lower_case() -> None:
    when = datetime(2026, 1, 2, 3, 4, 5, 6789, tzinfo=UTC)
    document = rendered("CreateVolume", {"CreateTime": when, "Encrypted": False})
    assert "<createTime>2026-01-02T03:04:05.006Z</createTime>" in document
    assert "<encrypted>false</encrypted>" in document


@pytest.mark.parametrize("name", ["DeleteVolume", "RebootInstances", "AssociateAddress"])
def test_operations_without_a_result_say_true(name: str) -> None:
    assert "<return>true</return>" in rendered(name, {})


def test_text_that_xml_cannot_carry_is_replaced() -> None:
    document = rendered("CreateKeyPair", {"KeyName": "a\x00b\ud800c\r<&>"})
    assert "<keyName>a?b?c&#13;&lt;&amp;&gt;</keyName>" in document
    assert etree.fromstring(document.encode()) is not None


@pytest.mark.parametrize("reply", [{"Nonsense": 1}, {"Volumes": [{"Nonsense": 1}]}])
def test_a_reply_that_the_model_does_not_know_is_a_bug(reply: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        rendered("DescribeVolumes", reply)


def test_lists_are_in_the_order_of_their_numbers_and_may_have_gaps() -> None:
    given = {"InstanceId.10": "c", "InstanceId.2": "b", "InstanceId.1": "a"}
    assert codec.parse(model("DescribeInstances"), given) == {"InstanceIds": ["a", "b", "c"]}


def test_an_empty_value_is_not_given() -> None:
    assert codec.parse(model("DescribeInstances"), {"NextToken": "", "Filter.1.Name": ""}) == {}


@pytest.mark.parametrize("text", ["true", "True", "1"])
def test_booleans_have_several_spellings(text: str) -> None:
    given = {"VolumeId": "vol-1", "DryRun": text}
    assert codec.parse(model("DeleteVolume"), given)["DryRun"] is True


@pytest.mark.parametrize(
    "name",
    [
        "Nonsense",
        "instanceId",
        "InstanceId.x",
        "InstanceId.-1",
        "InstanceId.1.2",
        "InstanceId.\u0661",
        "Filter.1.Nonsense",
        "Filter.1.Value.member.1",
        "MaxResults.1",
        "a." * 50 + "b",
        ".",
        "",
    ],
)
def test_an_unknown_parameter_is_refused_by_name(name: str) -> None:
    fault = refused("DescribeInstances", {name: "x"})
    assert fault.code == "UnknownParameter"
    assert name[:20] in fault.message


@pytest.mark.parametrize(
    ("operation", "name", "text"),
    [
        ("DescribeInstances", "MaxResults", "many"),
        ("DescribeInstances", "MaxResults", "1" * 40),
        ("DescribeInstances", "DryRun", "yes"),
        ("DescribeInstances", "InstanceId", "i-1"),
        ("DescribeInstances", "Filter.1", "x"),
        ("ImportKeyPair", "PublicKeyMaterial", "not base64!"),
        ("RequestSpotInstances", "ValidFrom", "tomorrow"),
        ("RequestSpotInstances", "ValidFrom", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_name(operation: str, name: str, text: str) -> None:
    fault = refused(operation, {name: text})
    assert fault.code == "InvalidParameterValue"
    assert f"parameter {name} is invalid" in fault.message


def test_a_parameter_cannot_be_both_a_value_and_a_structure() -> None:
    assert refused("RunInstances", {"Placement": "x", "Placement.Tenancy": "y"}).code
    assert refused("RunInstances", {"Placement.Tenancy": "y", "Placement": "x"}).code


def test_rendering_a_thousand_instances_does_not_take_long() -> None:
    shape = model("DescribeInstances").output_shape
    assert shape is not None
    instance = {
        name: text
        for name, text in value(shape)["Reservations"][0]["Instances"][0].items()
        if not isinstance(text, dict | list) or len(str(text)) < 300
    }
    reply = {"Reservations": [{"Instances": [instance]} for _ in range(1000)]}
    rendered("DescribeInstances", reply)
    start = time.process_time()
    document = rendered("DescribeInstances", reply)
    spent = time.process_time() - start
    assert len(re.findall("<instanceId>", document)) == 1000
    assert spent < 5  # measured 0.02 to 0.05; this is a guard against quadratic work
