"""The signed client, against a server that answers what it is told."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from gateway.native import Native, NativeFault, Wire, WouldChange, reads, spell


class Server(ThreadingHTTPServer):
    """Answers requests with prepared answers, in order; None closes the connection."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, Any] | None] = []
        self.asked: list[dict[str, str]] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        query = urlsplit(self.path).query
        self.server.asked.append(dict(parse_qsl(f"{query}&{body}", keep_blank_values=True)))
        answer = self.server.answers.pop(0)
        if answer is None:
            self.close_connection = True
            return
        status, content = answer
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def native(server: Server) -> Iterator[Native]:
    wire = Wire.to(f"http://127.0.0.1:{server.server_port}/client/api", 2, 2)
    yield Native(wire, "KEY", "SECRET")
    wire.pool.clear()


def test_a_call_is_signed_and_opened(server: Server, native: Native) -> None:
    server.answers = [(200, {"listzonesresponse": {"count": 0}})]
    assert native.call("listZones", name="a b~*é") == {"count": 0}
    [asked] = server.asked
    assert asked["command"] == "listZones"
    assert asked["name"] == "a b~*é"
    assert (asked["response"], asked["signatureversion"]) == ("json", "3")
    assert asked["expires"].endswith("+0000")
    assert len(asked["signature"]) == 28


def test_a_list_is_fetched_whole(server: Server, native: Native) -> None:
    pages = [[{"id": str(n)} for n in range(500)], [{"id": "500"}]]
    server.answers = [
        (200, {"listvolumesresponse": {"count": 501, "volume": page}}) for page in pages
    ]
    assert len(native.rows("listVolumes")) == 501
    assert [asked["page"] for asked in server.asked] == ["1", "2"]


def test_an_empty_list_is_empty(server: Server, native: Native) -> None:
    server.answers = [(200, {"listvolumesresponse": {}})]
    assert native.rows("listVolumes") == []


def test_a_refusal_says_why_and_what(server: Server, native: Native) -> None:
    content = {"errorcode": 431, "errortext": "no", "kind": "not_found", "subject": "volume"}
    server.answers = [(431, {"deletevolumeresponse": {**content, "field": "id"}})]
    with pytest.raises(NativeFault) as caught:
        native.call("deleteVolume", id="x")
    fault = caught.value
    assert (fault.kind, fault.subject, fault.field) == ("not_found", "volume", "id")
    assert (fault.text, fault.errorcode) == ("no", 431)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(401, "unauthenticated"), (431, "invalid"), (533, "no_capacity"), (599, "bug")],
)
def test_a_foreign_refusal_is_told_by_its_number(
    server: Server, native: Native, code: int, kind: str
) -> None:
    server.answers = [(code, {"errorresponse": {"errorcode": code, "errortext": "no"}})]
    with pytest.raises(NativeFault) as caught:
        native.call("listZones")
    assert caught.value.kind == kind


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"{}", b"null"])
def test_an_answer_of_another_make_is_unavailable(
    server: Server, native: Native, content: bytes
) -> None:
    server.answers = [(200, content)]
    with pytest.raises(NativeFault) as caught:
        native.call("listZones")
    assert caught.value.kind == "unavailable"


def test_only_what_changes_nothing_is_sent_again(server: Server, native: Native) -> None:
    server.answers = [None, (200, {"listzonesresponse": {}})]
    assert native.call("listZones") == {}
    server.answers = [None, (200, {"deletevolumeresponse": {}})]
    with pytest.raises(NativeFault) as caught:
        native.call("deleteVolume", id="x")
    assert caught.value.kind == "unavailable"
    assert len(server.asked) == 3


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(NativeFault) as caught:
        Native(Wire.to("http://127.0.0.1:9/client/api", 1, 1), "KEY", "SECRET").call("listZones")
    assert caught.value.kind == "unavailable"


def test_a_rehearsal_reads_and_stops_at_the_first_change(server: Server, native: Native) -> None:
    server.answers = [(200, {"listzonesresponse": {}})]
    rehearsal = native.rehearsal()
    assert rehearsal.rows("listZones") == []
    with pytest.raises(WouldChange):
        rehearsal.call("deleteVolume", id="x")
    assert len(server.asked) == 1


def test_values_are_spelled_as_the_wire_wants_them() -> None:
    given = {
        "none": None,
        "flag": True,
        "number": 5,
        "ids": ["a", "b"],
        "empty": [],
        "groups": [{"account": "x", "group": "y"}],
    }
    assert spell(given) == {
        "flag": "true",
        "number": "5",
        "ids": "a,b",
        "empty": "",
        "groups[0].account": "x",
        "groups[0].group": "y",
    }


@pytest.mark.parametrize("name", ["listZones", "getUser", "queryAsyncJobResult"])
def test_verbs_tell_what_reads(name: str) -> None:
    assert reads(name)
    assert not reads("deployVirtualMachine")
