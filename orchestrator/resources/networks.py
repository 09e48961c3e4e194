"""Guest networks, the addresses they give out, and what is told of them to hosts and routers.

Networks are *told whole*: a host gets one document with every bridge, port and security group, a
router one with every lease. Each document has a number, taken in the transaction that reads what it
says; a driver that already has a newer one leaves it in place. So it does not matter in which order
two workers tell.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv4Network

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from orchestrator.driver import ports
from orchestrator.faults import Fault, Kind, invalid
from orchestrator.ids import short
from orchestrator.resources import zones
from orchestrator.resources.scope import Found, Scope, Window, fetch, like
from orchestrator.schema.instances import Instance
from orchestrator.schema.networks import IpRange, Network, Nic
from orchestrator.schema.zones import Pod, Zone

OFFERINGS = ("DefaultSharedNetworkOfferingWithSGService", "DefaultSharedNetworkOffering")


def find(db: Session, _scope: Scope, ident: str) -> Network | None:
    """A network by id; the shared network of a Basic zone is everybody's."""
    return db.get(Network, ident)


def find_range(db: Session, _scope: Scope, ident: str) -> IpRange | None:
    """An address range by id."""
    return db.get(IpRange, ident)


def page(
    db: Session,
    window: Window,
    *,
    ident: str | None = None,
    zone_id: str | None = None,
    keyword: str | None = None,
) -> Found[Network]:
    """Networks, oldest first."""
    statement = select(Network).order_by(Network.created, Network.id)
    if ident is not None:
        statement = statement.where(Network.id == ident)
    if zone_id is not None:
        statement = statement.where(Network.zone_id == zone_id)
    if keyword:
        statement = statement.where(like(keyword, Network.name))
    return fetch(db, statement, window)


def page_ranges(
    db: Session,
    window: Window,
    *,
    ident: str | None = None,
    network_id: str | None = None,
    zone_id: str | None = None,
) -> Found[IpRange]:
    """Address ranges, lowest first."""
    statement = select(IpRange).order_by(IpRange.first)
    for column, value in (
        (IpRange.id, ident),
        (IpRange.network_id, network_id),
        (IpRange.zone_id, zone_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return fetch(db, statement, window)


def create(
    db: Session, zone: Zone, account_id: str, *, name: str, display_text: str, offering: str
) -> Network:
    """Make a zone's shared guest network. It costs nothing until the first guest.

    Raises:
        Fault: exists, for a second one in a Basic zone.
    """
    if db.scalar(select(Network.id).where(Network.zone_id == zone.id).limit(1)) is not None:
        text = "A Basic zone has one guest network, and this one has it already."
        raise Fault(Kind.EXISTS, "network", text)
    network = Network(
        name=name,
        display_text=display_text,
        account_id=account_id,
        zone_id=zone.id,
        offering=offering,
        number=(db.scalar(select(func.max(Network.number))) or 0) + 1,
        domain=zone.domain or "cloud.internal",
    )
    db.add(network)
    db.flush()
    return network


def create_range(
    db: Session,
    network: Network,
    pod: Pod | None,
    *,
    gateway: str,
    netmask: str,
    first: str,
    last: str,
) -> IpRange:
    """Let a network give out the addresses from ``first`` to ``last``."""
    cidr = _cidr(gateway, netmask)
    start, end = zones.address(first, "startip"), zones.address(last, "endip")
    if start not in cidr or end not in cidr or end < start:
        text = f"startip and endip must lie in {cidr}, in this order."
        raise invalid("network", text, field="startip")
    if start <= IPv4Address(gateway) <= end:
        raise invalid("network", "The range must not contain the gateway.", field="gateway")
    if network.gateway not in (None, gateway):
        raise invalid("network", f"The gateway is {network.gateway}.", field="gateway")
    clash = select(IpRange.id).where(
        IpRange.network_id == network.id, IpRange.first <= int(end), IpRange.last >= int(start)
    )
    if db.scalar(clash) is not None:
        raise Fault(Kind.EXISTS, "network", "The range overlaps with another of this network.")
    network.gateway, network.netmask = gateway, netmask
    added = IpRange(
        network_id=network.id,
        zone_id=network.zone_id,
        pod_id=pod.id if pod else None,
        gateway=gateway,
        netmask=netmask,
        first=int(start),
        last=int(end),
        cursor=int(start),
    )
    db.add(added)
    db.flush()
    return added


def guest_network(db: Session, zone: Zone) -> Network:
    """The network that guests of a Basic zone are on.

    Raises:
        Fault: no_capacity, when it has no addresses to give.
    """
    network = db.scalar(
        select(Network).where(Network.zone_id == zone.id, Network.gateway.is_not(None)).limit(1)
    )
    if network is None:
        text = f"Zone {zone.name} has no guest network with an address range."
        raise Fault(Kind.NO_CAPACITY, "network", text)
    return network


def plug(db: Session, network: Network, instance_id: str) -> Nic:
    """A card with a free address for an instance.

    The MAC is derived from the address: a lease, once learnt anywhere, never contradicts the next
    guest of that address.
    """
    ip = _free_address(db, network)
    octets = IPv4Address(ip).packed
    mac = ":".join(f"{byte:02x}" for byte in (0x06, network.number & 0xFF, *octets))
    nic = Nic(instance_id=instance_id, network_id=network.id, mac=mac, ip=ip)
    db.add(nic)
    db.flush()
    return nic


def _free_address(db: Session, network: Network) -> int:
    ranges = db.scalars(select(IpRange).where(IpRange.network_id == network.id).with_for_update())
    for span in ranges:
        free = _free_in(db, network.id, span.cursor, span.last)
        if free is None:
            free = _free_in(db, network.id, span.first, span.last)
        if free is not None:
            span.cursor = free + 1 if free < span.last else span.first
            return free
    text = f"Network {network.name} has no free address left."
    raise Fault(Kind.NO_CAPACITY, "network", text)


def _free_in(db: Session, network_id: str, first: int, last: int) -> int | None:
    """The lowest free address from ``first`` on: that one, or the end of the run it is in."""
    taken = select(Nic.ip).where(Nic.network_id == network_id, Nic.ip == first)
    if db.scalar(taken) is None:
        return first
    following = aliased(Nic)
    gap = (
        select(func.min(Nic.ip) + 1)
        .outerjoin(
            following,
            (following.network_id == Nic.network_id) & (following.ip == Nic.ip + 1),
        )
        .where(
            Nic.network_id == network_id,
            Nic.ip >= first,
            Nic.ip < last,
            following.id.is_(None),
        )
    )
    free: int | None = db.scalar(gap)
    return free


def nics(db: Session, instance_ids: Collection[str]) -> dict[str, list[Nic]]:
    """The cards of many instances at once, by instance id."""
    found: dict[str, list[Nic]] = defaultdict(list)
    for nic in db.scalars(select(Nic).where(Nic.instance_id.in_(set(instance_ids)))):
        found[nic.instance_id].append(nic)
    return found


def many(db: Session, ids: Iterable[str]) -> dict[str, Network]:
    """Many networks at once, by id."""
    rows = db.scalars(select(Network).where(Network.id.in_(set(ids))))
    return {network.id: network for network in rows}


def release(db: Session, instance_id: str) -> None:
    """Give the addresses of an instance back."""
    for nic in nics(db, [instance_id]).get(instance_id, []):
        db.delete(nic)


def tap(nic_id: str) -> str:
    """The device name of a card's port on its host; the kernel allows 15 characters."""
    return f"t-{short(nic_id)[:12]}"


def bridge(network_id: str) -> str:
    """The device name of a network's bridge on every host."""
    return f"b-{short(network_id)[:12]}"


def card(nic: Nic) -> ports.Nic:
    """The card as the hypervisor knows it."""
    return ports.Nic(
        id=nic.id,
        device=tap(nic.id),
        bridge=bridge(nic.network_id),
        mac=nic.mac,
    )


def cidr(network: Network) -> IPv4Network:
    """The network's own range."""
    return _cidr(network.gateway or "", network.netmask or "")


def wire(db: Session, nic: Nic, host_id: str | None) -> None:
    """Say on which host a card is plugged in; None: nowhere."""
    db.execute(update(Nic).where(Nic.id == nic.id).values(host_id=host_id))


def route_by(db: Session, network_id: str, host_id: str) -> str:
    """The host that carries the network's router: ``host_id``, if it had none."""
    db.execute(
        update(Network)
        .where(Network.id == network_id, Network.router_host_id.is_(None))
        .values(router_host_id=host_id)
    )
    chosen: str = db.scalars(select(Network.router_host_id).where(Network.id == network_id)).one()  # type: ignore[assignment]
    return chosen


def plugged(db: Session, host_id: str) -> list[Nic]:
    """The cards that are plugged into a host, whatever the state of their instances."""
    return list(db.scalars(select(Nic).where(Nic.host_id == host_id).order_by(Nic.id)))


def wired(db: Session, network_id: str) -> list[tuple[Nic, Instance]]:
    """The plugged cards of a network, with their instances."""
    statement = select(Nic, Instance).join(Instance, Instance.id == Nic.instance_id)
    statement = statement.where(Nic.network_id == network_id, Nic.host_id.is_not(None))
    return [(nic, instance) for nic, instance in db.execute(statement.order_by(Nic.id))]


def _cidr(gateway: str, netmask: str) -> IPv4Network:
    zones.address(gateway, "gateway")
    try:
        return IPv4Network(f"{gateway}/{netmask}", strict=False)
    except ValueError:
        raise invalid("network", f"{netmask!r} is no netmask.", field="netmask") from None
