"""Fetching by strangers' URLs."""

import bz2
import gzip
import hashlib
import http.server
import io
import threading
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network, ip_address

import pytest

from orchestrator.driver.libvirt.addresses import allowed, chosen
from orchestrator.driver.libvirt.fetch import Limits, fetch
from orchestrator.driver.ports import Refused, Transient

HERE = (IPv4Network("127.0.0.0/8"),)
DATA = bytes(range(256)) * 5000
Handler = Callable[[http.server.BaseHTTPRequestHandler], None]


@pytest.fixture
def site() -> Iterator[tuple[str, dict[str, Handler]]]:
    """A web server on loopback, and the answers to give by path."""
    answers: dict[str, Handler] = {}

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers[self.path](self)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", answers
        server.shutdown()
        thread.join()


def says(data: bytes, announced: int | None = None) -> Handler:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(announced or len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def fails(status: int, **headers: str) -> Handler:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def fetched(
    url: str,
    checksum: str = "",
    sites: tuple[IPv4Network, ...] = HERE,
    size: int = 10_000_000,
) -> bytes:
    target = io.BytesIO()
    fetch(url, target, checksum, sites, Limits(size, 20))
    return target.getvalue()


Site = tuple[str, dict[str, Handler]]


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512"])
def test_the_checksum_is_of_the_bytes_as_served(site: Site, name: str) -> None:
    url, answers = site
    packed = gzip.compress(DATA)
    answers["/i.gz"] = says(packed)
    assert fetched(f"{url}/i.gz", hashlib.new(name, packed).hexdigest().upper()) == DATA
    with pytest.raises(Refused, match="checksum"):
        fetched(f"{url}/i.gz", hashlib.new(name, DATA).hexdigest())


def test_packed_images_are_unpacked_by_their_name(site: Site) -> None:
    url, answers = site
    answers["/i.qcow2"] = says(DATA)
    answers["/i.bz2?x=1"] = says(bz2.compress(DATA))
    answers["/bad.gz"] = says(DATA)
    answers["/short.gz"] = says(gzip.compress(DATA)[:-20])
    assert fetched(f"{url}/i.qcow2") == DATA
    assert fetched(f"{url}/i.bz2?x=1") == DATA
    for path in ("bad.gz", "short.gz"):
        with pytest.raises(Refused):
            fetched(f"{url}/{path}")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_bomb_is_defused(site: Site, pack: Callable[[bytes], bytes]) -> None:
    url, answers = site
    path = "/i.gz" if pack is gzip.compress else "/i.bz2"
    answers[path] = says(pack(bytes(30_000_000)))
    with pytest.raises(Refused, match="larger"):
        fetched(url + path)


def test_an_answer_that_is_too_large_is_refused_before_and_while_it_comes(site: Site) -> None:
    url, answers = site
    answers["/announced"] = says(b"x", announced=10**12)

    def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(bytes(65536))
        except OSError:
            handler.close_connection = True

    answers["/endless"] = endless
    for path in ("announced", "endless"):
        with pytest.raises(Refused, match="larger"):
            fetched(f"{url}/{path}")


def test_a_download_that_breaks_off_may_be_tried_again(site: Site) -> None:
    url, answers = site
    answers["/i"] = says(DATA, announced=len(DATA) + 1)
    with pytest.raises(Transient):
        fetched(f"{url}/i")


@pytest.mark.parametrize(
    ("status", "error"), [(404, Refused), (403, Refused), (500, Transient), (429, Transient)]
)
def test_an_error_of_the_server_is_told_apart_from_ours(
    site: Site, status: int, error: type[Exception]
) -> None:
    url, answers = site
    answers["/i"] = fails(status)
    with pytest.raises(error):
        fetched(f"{url}/i")


def test_redirects_are_followed_but_not_for_ever(site: Site) -> None:
    url, answers = site
    answers["/a"] = fails(302, Location="/b")
    answers["/b"] = fails(307, Location=f"{url}/i")
    answers["/i"] = says(DATA)
    answers["/loop"] = fails(301, Location="/loop")
    assert fetched(f"{url}/a") == DATA
    with pytest.raises(Refused, match="redirects"):
        fetched(f"{url}/loop")


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254/latest/", "http://10.0.0.1/", "http://[::1]/", "file:///etc/passwd"],
)
def test_a_redirect_is_judged_like_the_first_address(site: Site, target: str) -> None:
    url, answers = site
    answers["/i"] = fails(302, Location=target)
    with pytest.raises(Refused):
        fetched(f"{url}/i")


def test_loopback_is_not_asked_unless_the_operator_allows_it(site: Site) -> None:
    url, answers = site
    answers["/i"] = says(DATA)
    with pytest.raises(Refused, match="not a public address"):
        fetched(f"{url}/i", sites=())


@pytest.mark.parametrize(
    "url", ["", "/etc/passwd", "ftp://x/y", "file:///etc/passwd", "http://", "http://x:99999/"]
)
def test_only_web_addresses_are_fetched(url: str) -> None:
    with pytest.raises(Refused):
        fetched(url)


def test_a_checksum_of_no_known_length_is_refused() -> None:
    for odd in ("abc", "z" * 64):
        with pytest.raises(Refused, match="hexadecimal"):
            fetched("http://127.0.0.1:9/", odd)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1"),
        *("::", "::1", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "2001:0:a9fe:a9fe::1"),
    ],
)
def test_inner_addresses_are_not_asked(address: str) -> None:
    assert not allowed(ip_address(address), ())


@pytest.mark.parametrize("address", ["8.8.8.8", "151.101.1.1", "2606:4700::1", "::ffff:8.8.8.8"])
def test_public_addresses_always_may(address: str) -> None:
    assert allowed(ip_address(address), ())


def test_a_site_that_the_operator_named_may_and_its_neighbour_not() -> None:
    sites = (IPv4Network("10.1.0.0/16"),)
    assert allowed(ip_address("10.1.2.3"), sites)
    assert allowed(ip_address("::ffff:10.1.2.3"), sites)
    assert not allowed(ip_address("10.2.0.1"), sites)


def test_the_first_allowed_address_of_a_name_is_taken() -> None:
    def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.1", "fe80::1%eth0", "8.8.4.4", "8.8.8.8"]

    assert chosen("x.test", 80, (), resolver) == "8.8.4.4"
    with pytest.raises(Refused):
        chosen("x.test", 80, (), lambda host, port: ["10.0.0.1"])
