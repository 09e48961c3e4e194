"""Which addresses an image may be fetched from. Pure, but for the resolver it is given.

A template's URL comes from a user and is opened by the cloud: without a rule, it could read the
cloud's own services (another guest's metadata, a database on loopback). So a host name is resolved
once, every address is judged, and the connection goes to the judged address, not to the name.
"""

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from orchestrator.driver.ports import BadImage, Transient

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], list[str]]

# IPv6 ranges that are IPv4 in disguise (NAT64, 6to4, Teredo): public by the book, not in effect.
_TUNNELS = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system resolves them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        text = f"the name {host} does not resolve: {error}"
        raise (Transient if error.errno == socket.EAI_AGAIN else BadImage)(text) from error
    return [str(address[4][0]) for address in found]


def allowed(address: Address, sites: Iterable[IPv4Network]) -> bool:
    """Whether the cloud may connect to it: public, or within a site that the operator named."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return allowed(address.ipv4_mapped, sites)
        public = not any(address in tunnel for tunnel in _TUNNELS)
        return public and address.is_global and not address.is_multicast
    if any(address in site for site in sites):
        return True
    return address.is_global and not address.is_multicast and not address.is_reserved


def chosen(
    host: str, port: int, sites: Iterable[IPv4Network], resolver: Resolver = resolved
) -> str:
    """The address to connect to for this host. BadImage when none of its addresses may be."""
    sites = tuple(sites)
    for text in resolver(host, port):
        if allowed(ip_address(text.partition("%")[0]), sites):
            return text
    raise BadImage(f"images may not be fetched from {host}: it is not a public address")
