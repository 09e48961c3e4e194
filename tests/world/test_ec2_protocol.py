"""The EC2 endpoint as clients of every age reach it: signatures, versions, envelopes, refusals."""

import http.client
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from botocore.auth import SigV2Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from lxml import etree

from tests.world.world import Keys, World

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Answer:
    """An HTTP answer, taken apart."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.text = response.read().decode()

    @property
    def code(self) -> str:
        """The code of an error document, whose shape is checked."""
        root = etree.fromstring(self.text.encode())
        assert root.tag == "Response"
        assert [child.tag for child in root] == ["Errors", "RequestID"]
        assert root[1].text == self.headers["x-amzn-requestid"]
        assert self.headers["content-type"] == "text/xml;charset=UTF-8"
        assert root.findtext("Errors/Error/Message")
        return str(root.findtext("Errors/Error/Code"))


def send(
    world: World,
    method: str,
    target: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(world.aws_url).netloc, timeout=20)
    connection.request(method, target, body, dict(headers or {}))
    answer = Answer(connection.getresponse())
    connection.close()
    return answer


def signed(world: World, path: str = "/awsapi", **params: str) -> str:
    """A query signed in version 2."""
    given = {"Version": "2016-11-15", **params}
    request = AWSRequest("GET", world.aws_url + path, params=given, data={})
    SigV2Auth(Credentials(world.admin.access, world.admin.secret)).add_auth(request)
    return urlencode([(str(n), str(v)) for n, v in dict(request.params).items()])


def get(world: World, path: str = "/awsapi", **params: str) -> Answer:
    return send(world, "GET", f"{path}?{signed(world, path, **params)}")


@pytest.mark.parametrize("path", ["/", "/awsapi", "/awsapi/", "/rest/AmazonEC2"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_address_answers_without_a_redirect(world: World, path: str, method: str) -> None:
    request = AWSRequest(method, world.aws_url + path, params={}, data={})
    params = {"Action": "DescribeRegions", "Version": "2014-10-01"}
    (request.data if method == "POST" else request.params).update(params)  # type: ignore[union-attr]
    SigV2Auth(Credentials(world.admin.access, world.admin.secret)).add_auth(request)
    query = urlencode(dict(request.data if method == "POST" else request.params))  # type: ignore[arg-type]
    if method == "POST":
        answer = send(world, "POST", path, query.encode(), FORM)
    else:
        answer = send(world, "GET", f"{path}?{query}")
    assert answer.status == 200
    assert 'xmlns="http://ec2.amazonaws.com/doc/2014-10-01/"' in answer.text


@pytest.mark.parametrize("version", ["v2", "v4"])
def test_boto3_signs_in_either_version(world: World, version: str) -> None:
    assert world.aws("ec2", signature_version=version).describe_regions()["Regions"]


@pytest.mark.parametrize("version", ["2014-10-01", "2015-10-01", "2016-09-15", "2016-11-15"])
def test_boto3_reads_every_version_it_ships(world: World, version: str) -> None:
    import boto3

    ec2 = boto3.client(
        "ec2",
        api_version=version,
        endpoint_url=world.aws_url + "/awsapi",
        region_name="anywhere",
        aws_access_key_id=world.admin.access,
        aws_secret_access_key=world.admin.secret,
    )
    assert ec2.describe_availability_zones()["AvailabilityZones"]
    assert ec2.describe_images()["Images"]


def test_a_presigned_url_is_enough(world: World) -> None:
    url = world.aws("ec2").generate_presigned_url(
        "describe_regions", ExpiresIn=60, HttpMethod="GET"
    )
    parts = urlsplit(url)
    assert send(world, "GET", f"{parts.path or '/'}?{parts.query}").status == 200
    tampered = parts.query.replace("DescribeRegions", "DescribeImages")
    assert send(world, "GET", f"/?{tampered}").code == "AuthFailure"


def test_a_client_that_signs_another_address_is_understood(world: World) -> None:
    """Perl's Net::Amazon::EC2 signs the path ``/`` and the host without its port."""
    request = AWSRequest("GET", "http://127.0.0.1/", params={"Action": "DescribeRegions"}, data={})
    request.params["Version"] = "2014-06-15"
    SigV2Auth(Credentials(world.admin.access, world.admin.secret)).add_auth(request)
    query = urlencode({**dict(request.params), "SecurityToken": ""})
    assert send(world, "GET", f"/awsapi/?{query}").code == "AuthFailure"
    query = urlencode(dict(request.params))
    assert send(world, "GET", f"/awsapi/?{query}").status == 200


def test_libcloud_lists_nodes(world: World) -> None:
    from libcloud.compute.drivers import ec2

    port = urlsplit(world.aws_url).port
    maker: Any = ec2.EC2NodeDriver
    driver = maker(
        world.admin.access, world.admin.secret, secure=False, host="127.0.0.1", port=port
    )
    driver.connection.request_path = "/awsapi"
    assert [zone.name for zone in driver.ex_list_availability_zones()] == ["us-east-1a"]
    assert [image.name for image in driver.list_images()] == ["tiny"]


@pytest.mark.parametrize("version", ["2010-08-31", "2010-11-15", "2012-03-01", "2016-11-15"])
def test_the_version_is_echoed(world: World, version: str) -> None:
    answer = get(world, Action="DescribeSecurityGroups", Version=version)
    root = etree.fromstring(answer.text.encode())
    assert root.tag == f"{{http://ec2.amazonaws.com/doc/{version}/}}DescribeSecurityGroupsResponse"


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("2017-01-01", "NoSuchVersion"),
        ("2001-01-01", "NoSuchVersion"),
        ("latest", "InvalidParameterValue"),
        ("2016-11-1\u0665", "InvalidParameterValue"),
        ("", "MissingParameter"),
    ],
)
def test_a_version_that_never_was_is_refused(world: World, version: str, code: str) -> None:
    assert get(world, Action="DescribeRegions", Version=version).code == code


def test_old_versions_know_groups_by_name_only(world: World) -> None:
    made = get(
        world,
        Action="CreateSecurityGroup",
        Version="2010-11-15",
        GroupName="old",
        GroupDescription="d",
    ).text
    assert "<return>true</return>" in made
    assert "groupId" not in made
    shown = get(
        world, Action="DescribeSecurityGroups", Version="2010-11-15", **{"GroupName.1": "old"}
    ).text
    assert "<groupName>old</groupName>" in shown
    assert "groupId" not in shown
    assert "ipPermissionsEgress" not in shown
    assert get(world, Action="DeleteSecurityGroup", GroupName="old").status == 200


@pytest.mark.parametrize(
    ("params", "code", "status"),
    [
        ({}, "MissingAction", 400),
        ({"Action": "Nonsense"}, "InvalidAction", 400),
        ({"Action": "CreateVpc", "CidrBlock": "10.0.0.0/8"}, "UnsupportedOperation", 400),
        ({"Action": "DescribeRegions", "Nonsense": "1"}, "UnknownParameter", 400),
        ({"Action": "StartInstances"}, "MissingParameter", 400),
        (
            {"Action": "DescribeInstances", "InstanceId.1": "i-1"},
            "InvalidInstanceID.Malformed",
            400,
        ),
        ({"Action": "DescribeRegions", "SecurityToken": "x"}, "AuthFailure", 401),
    ],
)
def test_a_bad_request_has_its_own_code(
    world: World, params: dict[str, str], code: str, status: int
) -> None:
    answer = get(world, **params)
    assert (answer.code, answer.status) == (code, status)


def test_a_request_without_credentials_is_told_so(world: World) -> None:
    answer = send(world, "GET", "/?Action=DescribeRegions&Version=2016-11-15")
    assert (answer.code, answer.status) == ("MissingAuthenticationToken", 403)


@pytest.mark.parametrize("change", [{"access": "nobody"}, {"secret": "wrong"}])
def test_wrong_keys_are_refused(world: World, change: dict[str, str]) -> None:
    keys = Keys(**{"access": world.admin.access, "secret": world.admin.secret, **change})
    for version in ("v2", "v4"):
        with pytest.raises(ClientError) as caught:
            world.aws("ec2", keys, signature_version=version).describe_regions()
        assert caught.value.response["Error"]["Code"] == "AuthFailure"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 401


def test_a_wrong_clock_is_told_so(world: World) -> None:
    query = dict(parse_qsl(signed(world, Action="DescribeRegions")))
    query["Timestamp"] = f"{datetime.now(UTC) - timedelta(minutes=6):%Y-%m-%dT%H:%M:%SZ}"
    answer = send(world, "GET", "/awsapi?" + urlencode(query))
    assert answer.code == "RequestExpired"


def test_a_new_key_works_at_once_and_the_old_one_no_more(world: World) -> None:
    keys = world.account("rotating")
    world.aws("ec2", keys).describe_regions()
    user = world.native().getUser(userapikey=keys.access)["user"]["id"]
    made = world.native().registerUserKeys(id=user)["userkeys"]
    world.aws("ec2", Keys(made["apikey"], made["secretkey"])).describe_regions()


def test_parameters_come_from_one_place(world: World) -> None:
    query = signed(world, Action="DescribeRegions")
    answer = send(world, "POST", f"/awsapi?{query}", b"Action=StopInstances", FORM)
    assert answer.code == "InvalidParameterCombination"
    twice = f"/awsapi?{query}&Action=DescribeRegions"
    assert send(world, "GET", twice).code == "AuthFailure"


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"a" * (5 << 20), FORM, "RequestEntityTooLarge"),
        (b"\xff\xfe=1", FORM, "MalformedQueryString"),
        (b"a=%ff", FORM, "MalformedQueryString"),
        (b"&".join(b"a%d=1" % n for n in range(10_001)), FORM, "MalformedQueryString"),
        (b"<xml/>", {"Content-Type": "text/xml"}, "InvalidRequest"),
        (b"Action=DescribeRegions", FORM, "MissingAuthenticationToken"),
        (b"", FORM, "MissingAuthenticationToken"),
    ],
)
def test_an_absurd_body_gets_an_answer(
    world: World, body: bytes, headers: dict[str, str], code: str
) -> None:
    answer = send(world, "POST", "/awsapi", body, headers)
    assert answer.code == code
    assert answer.status < 500


def test_other_methods_are_refused(world: World) -> None:
    assert send(world, "DELETE", "/awsapi").code == "InvalidRequest"


def test_s3_is_on_the_same_port(world: World) -> None:
    s3 = world.aws("s3")
    s3.create_bucket(Bucket="awsapi")
    s3.put_object(Bucket="awsapi", Key="rest", Body=b"Action=DescribeRegions")
    assert s3.list_objects_v2(Bucket="awsapi")["KeyCount"] == 1
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["awsapi"]
    s3.delete_object(Bucket="awsapi", Key="rest")
    s3.delete_bucket(Bucket="awsapi")


def test_boto_2_drives_an_instance(world: World) -> None:
    """With the version, the path and the signature of its time."""
    boto = import_module("boto.ec2")
    from boto.ec2.connection import EC2Connection
    from boto.ec2.regioninfo import RegionInfo

    assert boto
    region = RegionInfo(name="cloud", endpoint="127.0.0.1")
    connection = EC2Connection(
        world.admin.access,
        world.admin.secret,
        is_secure=False,
        port=urlsplit(world.aws_url).port,
        path="/awsapi",
        region=region,
        api_version="2010-11-15",
        debug=0,
    )
    [image] = connection.get_all_images()
    reservation = connection.run_instances(image.id, instance_type="m1.tiny")
    [instance] = reservation.instances
    assert [group.id for group in reservation.groups] == ["default"]
    world.settle()
    assert instance.update() == "running"
    volume = connection.create_volume(1, "us-east-1a")
    assert volume.attach(instance.id, "/dev/sdh")
    world.settle()
    assert connection.get_all_volumes([volume.id])[0].attach_data.device == "/dev/sdh"
    assert volume.detach()
    world.settle()
    assert volume.delete()
    assert connection.create_security_group("boto2", "d")
    assert connection.authorize_security_group("boto2", None, None, "tcp", 22, 22, "0.0.0.0/0")
    [group] = connection.get_all_security_groups(["boto2"])
    assert group.rules[0].grants[0].cidr_ip == "0.0.0.0/0"
    assert connection.revoke_security_group("boto2", None, None, "tcp", 22, 22, "0.0.0.0/0")
    assert connection.delete_security_group("boto2")
    assert connection.terminate_instances([instance.id])[0].state == "shutting-down"


def test_what_anybody_may_send_never_makes_a_server_error(world: World) -> None:
    odd: list[dict[str, Any]] = [
        {"Action": "DescribeInstances", "Filter.1.Name": "x" * 5000, "Filter.1.Value.1": "*" * 999},
        {"Action": "DescribeInstances", "Filter.1.Value.1": "x"},
        {"Action": "DescribeInstances", "InstanceId.1": "i-" + "\u0660" * 17},
        {"Action": "DescribeVolumes", "MaxResults": "-5"},
        {"Action": "DescribeVolumes", "NextToken": "\u00e9"},
        {"Action": "DescribeVolumes", "NextToken": "LTU6"},
        {"Action": "CreateKeyPair", "KeyName": "\x00\x01"},
        {"Action": "CreateKeyPair", "KeyName": "x" * 3000},
        {"Action": "CreateSecurityGroup", "GroupName": "a,b\n", "GroupDescription": "\x07"},
        {"Action": "CreateVolume", "AvailabilityZone": "us-east-1a", "Size": str(2**62)},
        {"Action": "RunInstances", "ImageId": "ami-" + "0" * 17, "MinCount": "1", "MaxCount": "1"},
        {"Action": "\u00e9\n<script>"},
    ]
    for params in odd:
        answer = get(world, **params)
        assert answer.status < 500, (params, answer.text)
