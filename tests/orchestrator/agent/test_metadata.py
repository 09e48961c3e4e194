"""The metadata service, as guests meet it. Guests are told apart by loopback addresses."""

import base64
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.agent.metadata import Server, serve
from orchestrator.agent.tokens import Tokens

ALICE, BOB, STRANGER = "127.0.0.11", "127.0.0.12", "127.0.0.99"
TTL = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN = "X-aws-ec2-metadata-token"


def document(address: str, user_data: bytes | None) -> dict[str, object]:
    return {
        "id": "native-id",
        "instance_id": "i-0123456789abcdef0",
        "image_id": "ami-0123456789abcdef0",
        "type": "m1.small",
        "hostname": "web-1.cloud.internal",
        "domain": "cloud.internal",
        "mac": "52:54:00:00:00:01",
        "ip": address,
        "cidr": "127.0.0.0/24",
        "zone": "us-east-1a",
        "region": "us-east-1",
        "reservation": "r-0123456789abcdef0",
        "groups": ["default", "web"],
        "keys": {"mine": "ssh-ed25519 AAAA mine\n", "yours": "ssh-rsa BBBB"},
        "user_data": None if user_data is None else base64.b64encode(user_data).decode(),
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("documents")
    for address, user_data in ((ALICE, b"\x00\xff#!raw"), (BOB, None)):
        (folder / f"{address}.json").write_text(json.dumps(document(address, user_data)))
    with serve(folder, ("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    server: Server, method: str, path: str, guest: str = ALICE, **headers: str
) -> tuple[int, bytes, http.client.HTTPMessage]:
    port = server.server_address[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, 5, source_address=(guest, 0))
    try:
        spelled = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=spelled)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def get(server: Server, path: str, guest: str = ALICE) -> str | None:
    status, body, _headers = ask(server, "GET", path, guest)
    return body.decode() if status == 200 else None


def token(server: Server, seconds: str = "60", guest: str = ALICE) -> tuple[int, str]:
    status, body, _headers = ask(server, "PUT", "/latest/api/token", guest, **{TTL: seconds})
    return status, body.decode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("meta-data/ami-id", "ami-0123456789abcdef0"),
        ("meta-data/ami-launch-index", "0"),
        ("meta-data/hostname", "web-1.cloud.internal"),
        ("meta-data/instance-id", "i-0123456789abcdef0"),
        ("meta-data/instance-type", "m1.small"),
        ("meta-data/local-hostname", "web-1.cloud.internal"),
        ("meta-data/local-ipv4", ALICE),
        ("meta-data/public-ipv4", ALICE),
        ("meta-data/mac", "52:54:00:00:00:01"),
        ("meta-data/network/interfaces/macs/", "52:54:00:00:00:01/"),
        ("meta-data/network/interfaces/macs/52:54:00:00:00:01/local-ipv4s", ALICE),
        ("meta-data/placement/", "availability-zone\nregion"),
        ("meta-data/placement/availability-zone", "us-east-1a"),
        ("meta-data/placement/region", "us-east-1"),
        ("meta-data/public-keys/", "0=mine\n1=yours"),
        ("meta-data/public-keys", "0=mine\n1=yours"),
        ("meta-data/public-keys/0", "openssh-key"),
        ("meta-data/public-keys/0/openssh-key", "ssh-ed25519 AAAA mine"),
        ("meta-data/reservation-id", "r-0123456789abcdef0"),
        ("meta-data/security-groups", "default\nweb"),
        ("meta-data/services/domain", "cloud.internal"),
        ("dynamic/instance-identity/", "document"),
        ("", "dynamic\nmeta-data\nuser-data"),
        ("local-ipv4", ALICE),
        ("instance-id", "i-0123456789abcdef0"),
        ("vm-id", "native-id"),
        ("service-offering", "m1.small"),
        ("availability-zone", "us-east-1a"),
        ("public-keys", "ssh-ed25519 AAAA mine\nssh-rsa BBBB"),
    ],
)
@pytest.mark.parametrize("version", ["latest", "2009-04-04", "2021-03-23", "1.0"])
def test_a_guest_reads_about_itself(server: Server, version: str, path: str, value: str) -> None:
    assert get(server, f"/{version}/{path}") == value


def test_the_list_of_meta_data_marks_directories(server: Server) -> None:
    listed = (get(server, "/latest/meta-data/") or "").split()
    assert {"ami-id", "instance-id", "placement/", "public-keys/", "network/"} <= set(listed)
    for name in listed:
        assert get(server, f"/latest/meta-data/{name}") is not None


def test_versions_are_listed_at_the_top(server: Server) -> None:
    listed = (get(server, "/") or "").split()
    assert "latest" in listed
    assert all(get(server, f"/{version}/") for version in listed)


def test_user_data_comes_as_its_bytes_or_not_at_all(server: Server) -> None:
    assert ask(server, "GET", "/latest/user-data")[1] == b"\x00\xff#!raw"
    assert ask(server, "GET", "/latest/user-data", BOB)[0] == 404
    assert get(server, "/latest/", BOB) == "dynamic\nmeta-data"


def test_the_identity_document_is_json(server: Server) -> None:
    read = json.loads(get(server, "/latest/dynamic/instance-identity/document") or "")
    assert read["instanceId"] == "i-0123456789abcdef0"
    assert read["region"] == "us-east-1"


@pytest.mark.parametrize(
    "path",
    [
        *("/latest/meta-data/nothing", "/nonsense/meta-data/", "/latest/meta-data/ami-id/more"),
        *("/latest/../token.key", "/%2e%2e/token.key", "/latest/meta-data/public-keys/0/name"),
    ],
)
def test_there_is_nothing_else(server: Server, path: str) -> None:
    assert get(server, path) is None


def test_a_guest_is_known_by_its_address_and_not_by_what_it_says(server: Server) -> None:
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
        _status, body, _headers = ask(
            server, "GET", "/latest/meta-data/local-ipv4", BOB, **{name: ALICE}
        )
        assert body.decode() == BOB


def test_a_stranger_gets_nothing(server: Server) -> None:
    assert ask(server, "GET", "/latest/meta-data/", STRANGER)[0] == 404
    assert token(server, guest=STRANGER)[0] == 404


def test_a_session_is_opened_and_used(server: Server) -> None:
    status, session = token(server, "21600")
    assert status == 200
    answer = ask(server, "GET", "/latest/meta-data/local-ipv4", **{TOKEN: session})
    assert answer[:2] == (200, ALICE.encode())


def test_the_answer_to_a_token_request_says_how_long_it_lives(server: Server) -> None:
    assert ask(server, "PUT", "/latest/api/token", **{TTL: "60"})[2][TTL] == "60"


def test_a_token_is_worth_nothing_to_another_guest(server: Server) -> None:
    _status, session = token(server)
    assert ask(server, "GET", "/latest/meta-data/", BOB, **{TOKEN: session})[0] == 401


@pytest.mark.parametrize("odd", ["", "nonsense", "AAAA", "ä", "A" * 56])
def test_a_wrong_token_is_refused(server: Server, odd: str) -> None:
    headers = {TOKEN: odd.encode("utf-8").decode("latin-1")}
    assert ask(server, "GET", "/latest/meta-data/", **headers)[0] == 401


@pytest.mark.parametrize("seconds", ["0", "21601", "-1", "soon", ""])
def test_a_token_lives_one_second_to_six_hours(server: Server, seconds: str) -> None:
    assert token(server, seconds)[0] == 400


def test_no_token_is_given_through_a_proxy(server: Server) -> None:
    headers = {TTL: "60", "X-Forwarded-For": "10.0.0.1"}
    assert ask(server, "PUT", "/latest/api/token", **headers)[0] == 403


def test_a_token_dies_when_it_said(server: Server) -> None:
    tokens = Tokens(b"key")
    given = tokens.give("10.0.0.1", 10, now=1000)
    assert tokens.remaining(given, "10.0.0.1", now=1009.5) == 1
    assert tokens.remaining(given, "10.0.0.1", now=1010) == 0
    assert Tokens(b"other").remaining(given, "10.0.0.1", now=1000) == 0


def test_tokens_outlive_the_service(tmp_path: Path) -> None:
    with serve(tmp_path, ("127.0.0.1", 0)) as first, serve(tmp_path, ("127.0.0.1", 0)) as second:
        given = first.tokens.give(ALICE, 60, time.time())
        assert second.tokens.remaining(given, ALICE, time.time()) > 0


def test_a_head_request_has_no_body(server: Server) -> None:
    status, body, headers = ask(server, "HEAD", "/latest/meta-data/ami-id")
    assert (status, body, headers["Content-Length"]) == (200, b"", "21")


def test_other_methods_are_not_understood(server: Server) -> None:
    assert ask(server, "POST", "/latest/meta-data/")[0] == 501


def test_a_guest_that_holds_connections_does_not_hold_up_another(server: Server) -> None:
    address = ("127.0.0.1", server.server_address[1])
    held = [socket.create_connection(address, source_address=(BOB, 0)) for _ in range(30)]
    try:
        assert get(server, "/latest/meta-data/local-ipv4") == ALICE
    finally:
        for each in held:
            each.close()
