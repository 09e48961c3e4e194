"""Routers: one network namespace per guest network, with DHCP, DNS and the metadata service.

The router hangs on the guest bridge by a cable (a veth pair) whose inner end, ``eth0``, has the
gateway's address and 169.254.169.254. Nothing is forwarded. Two processes serve the guests:
dnsmasq and the metadata service; both are looked for in the namespace, never by a pid file, and
started when missing.
"""

import os
import pwd
import shutil
import signal
import sys
from pathlib import Path

import orchestrator
from orchestrator.driver.commands import run
from orchestrator.driver.files import write_whole
from orchestrator.driver.linux import dhcp, documents, names, namespaces, processes
from orchestrator.driver.places import Places
from orchestrator.driver.ports import RouterNetwork, Transient

METADATA_ADDRESS = "169.254.169.254/32"
_SERVICE = "orchestrator.agent.metadata"


class Router:
    """One network's router on this host."""

    def __init__(self, places: Places, network_id: str) -> None:
        self._host = places.host_namespace
        self._inner = places.router_namespace(network_id)
        self._folder = places.router_run(network_id)
        self._uplink = names.uplink(network_id)
        self._mac = names.router_mac(network_id)

    def ensure(self, told: RouterNetwork) -> None:
        """Have it exactly as told, running."""
        namespaces.ensure(self._inner)
        self._ensure_cable(names.device(told.bridge))
        self._ensure_addresses(told)
        self._folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        self._ensure_dnsmasq(told)
        self._ensure_metadata(told)

    def ensure_absent(self) -> None:
        """Remove it with everything it ran."""
        # The cable first: a device in a namespace that is deleted vanishes some time later.
        namespaces.ensure_link_absent(self._host, self._uplink)
        namespaces.ensure_absent(self._inner)
        shutil.rmtree(self._folder, ignore_errors=True)

    def stands(self, bridge: str) -> bool:
        """Whether it is whole: plugged into its bridge, and both services alive."""
        cable = namespaces.links(self._host).get(self._uplink, {})
        programs = self._services()
        return cable.get("master") == bridge and {"dnsmasq", _SERVICE} <= programs.keys()

    def _ensure_cable(self, bridge: str) -> None:
        outer = namespaces.links(self._host)
        if bridge not in outer:
            raise Transient(f"there is no bridge {bridge} yet")
        link = ["ip", "-n", self._host, "link"]
        whole = self._uplink in outer and "eth0" in namespaces.links(self._inner)
        if not whole:
            namespaces.ensure_link_absent(self._host, self._uplink)
            inner = ["peer", "name", "eth0", "address", self._mac, "netns", self._inner]
            run([*link, "add", self._uplink, "type", "veth", *inner])
        run([*link, "set", self._uplink, "master", bridge, "up"])

    def _ensure_addresses(self, told: RouterNetwork) -> None:
        inner = ["ip", "-n", self._inner]
        wanted = {f"{told.gateway}/{told.cidr.prefixlen}", METADATA_ADDRESS}
        for left in namespaces.addresses(self._inner, "eth0") - wanted:
            run([*inner, "address", "delete", left, "dev", "eth0"])
        for address in sorted(wanted):
            run([*inner, "address", "replace", address, "dev", "eth0"])
        run([*inner, "link", "set", "eth0", "up"])

    def _ensure_dnsmasq(self, told: RouterNetwork) -> None:
        text = dhcp.configuration(told, self._folder, _user("dnsmasq").pw_name)
        config = self._folder / dhcp.CONFIG
        reconfigured = write_whole(config, text.encode())
        lists = [
            write_whole(self._folder / dhcp.HOSTS, dhcp.hosts(told.guests).encode()),
            write_whole(self._folder / dhcp.NAMES, dhcp.addresses(told.guests).encode()),
        ]
        running = self._services().get("dnsmasq")
        held = self._leases()
        if running is not None and (reconfigured or dhcp.stale(held, told.guests)):
            processes.end(running)
            running = None
        if running is None:
            kept = dhcp.pruned(self._leases(), told.guests)
            write_whole(self._folder / dhcp.LEASES, kept.encode())
            namespaces.inside(self._inner, ["dnsmasq", f"--conf-file={config}"])
        elif any(lists):
            processes.send(running, signal.SIGHUP)

    def _leases(self) -> str:
        path = self._folder / dhcp.LEASES
        return path.read_text() if path.exists() else ""

    def _ensure_metadata(self, told: RouterNetwork) -> None:
        owner = _user("nobody")
        folder = self._folder / "metadata"
        folder.mkdir(mode=0o700, exist_ok=True)
        os.chown(folder, owner.pw_uid, -1)
        documents.ensure(folder, told, owner.pw_uid)
        if _SERVICE not in self._services():
            arguments = ["--folder", str(folder), "--user", owner.pw_name, "--detach"]
            log = ["--log", str(self._folder / "metadata.log")]
            namespaces.inside(
                self._inner,
                [sys.executable, "-m", _SERVICE, *arguments, *log],
                env=_python_environment(),
            )

    def _services(self) -> dict[str, processes.Process]:
        """By name. dnsmasq forks for a question over TCP; the first one found is the parent."""
        found: dict[str, processes.Process] = {}
        for process in processes.inside(namespaces.path(self._inner)):
            name = _SERVICE if _SERVICE in process.argv else process.program
            found.setdefault(name, process)
        return found


def _user(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return pwd.getpwnam("nobody")


def _python_environment() -> dict[str, str]:
    package = Path(orchestrator.__file__).parents[1]
    return {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(package)}
