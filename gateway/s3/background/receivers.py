"""Where notifications may go, and one delivery.

Whoever owns a bucket chooses the URL, and it is we who connect: from a place where they could not,
to places that trust us. So a receiver is judged by the very address that is connected to, after its
name was resolved, and no redirect is ever followed. By default everything may be told but this
machine itself, whichever of its addresses is named, loopback and link-local addresses (where clouds
keep what guests are told about themselves), and what is no address of a single machine. Private
networks may: that is where the guests of a private cloud live. Who wants less names what may be.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PUBLIC, ANY = "public", "*"
_TIMEOUT = 10.0  # seconds, for connecting and for the whole answer each
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_PORTS = {"http": 80, "https": 443}


class Unreachable(Exception):
    """A receiver that cannot be, or may not be, connected to, or that does not answer."""


class Refused(Exception):
    """A receiver that answers, but not with success."""


@dataclass(frozen=True)
class Guard:
    """Which receivers may be told something.

    Args:
        allowed: host names, addresses and networks; ``public`` for all addresses of the internet,
            ``*`` for every address there is. Empty for the default.
    """

    allowed: Sequence[str] = ()

    @classmethod
    def of(cls, text: str) -> "Guard":
        """From a list with commas between.

        Raises:
            ValueError: one of them is neither a network nor could be a host's name.
        """
        return cls(tuple(part.strip() for part in text.split(",") if part.strip()))

    def __post_init__(self) -> None:
        """Read the networks.

        Raises:
            ValueError: one of them is neither a network nor could be a host's name.
        """
        for each in self.allowed:
            if _network(each) is None and ("/" in each or not each or " " in each):
                raise ValueError(f"{each!r} is neither a host nor a network")

    def permits(self, host: str, address: Address) -> bool:
        """Whether a host may be connected to at one of its addresses."""
        plain = _meant(address)
        if not self.allowed:
            return not (
                plain.is_loopback
                or plain.is_link_local
                or plain.is_multicast
                or plain.is_unspecified
                or plain.is_reserved
                or _is_ours(plain)
                or _is_ours(address)
            )
        for each in self.allowed:
            network = _network(each)
            if each == ANY or each.lower() == host.lower():
                return True
            if each == PUBLIC and plain.is_global and not plain.is_multicast:
                return True
            if network is not None and (plain in network or address in network):
                return True
        return False


DEFAULT_GUARD = Guard()


def deliver(url: str, body: bytes, guard: Guard, timeout: float = _TIMEOUT) -> None:
    """Post a JSON document to a receiver.

    Raises:
        Unreachable, Refused.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    address = _resolve(host, port, guard)
    connection = _Connection(host, port, str(address), parts.scheme == "https", timeout)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    watch = threading.Timer(timeout, connection.cut)
    watch.daemon = True
    watch.start()
    try:
        connection.request("POST", path, body, _HEADERS)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{host}:{port}: {error}") from error
    finally:
        watch.cancel()
        connection.close()
    if not 200 <= status < 300:
        raise Refused(f"{host}:{port} answered {status}")


_HEADERS = {"Content-Type": "application/json", "User-Agent": "Amazon S3", "Connection": "close"}


class _Connection(http.client.HTTPConnection):
    """To an address that was judged, under the name it was found by."""

    def __init__(self, host: str, port: int, address: str, tls: bool, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout)
        self.default_port = _PORTS["https" if tls else "http"]
        self._address, self._tls = address, tls

    def connect(self) -> None:
        """Connect; also what is slow about TLS can be cut."""
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._tls:
            secured = ssl.create_default_context().wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock = secured
            secured.do_handshake()

    def cut(self) -> None:
        """End it, in the middle of whatever it does."""
        sock = self.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it has ended already


def _resolve(host: str, port: int, guard: Guard) -> Address:
    """The first address of a host that may be connected to."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{host} has no address: {error}") from error
    for _, _, _, _, place in found:
        address = ipaddress.ip_address(str(place[0]).partition("%")[0])
        if guard.permits(host, address):
            return address
    raise Unreachable(f"{host} is at no address that notifications may be sent to.")


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to where a gateway translates; else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_ours(address: Address) -> bool:
    """Whether it is an address of this machine: whoever goes there comes from there."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))  # sends nothing
            source = ipaddress.ip_address(probe.getsockname()[0].partition("%")[0])
    except OSError:
        return False
    return source == address


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
