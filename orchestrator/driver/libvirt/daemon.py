"""The cloud's own libvirt daemon, in namespaces of its own.

Each cloud has one ``libvirtd`` in a network namespace (``pileus-<tag>-host``: bridges, taps and
filters are there) and in private mount and host-name namespaces, where libvirt's five folders
are the cloud's. It listens on a Unix socket, never on TCP. The daemon may die and be started
again at any time: guests live on and are adopted, because its folders are the same.

The mounts are seen by the daemon and its guests only and vanish with them, so nothing but files,
processes and network namespaces ever has to be cleaned up. Nothing relies on a pid file: what
runs in our namespaces is ours.
"""

import shutil
import uuid
from pathlib import Path

from orchestrator.driver.commands import run
from orchestrator.driver.files import locked, write_whole
from orchestrator.driver.linux import namespaces, processes
from orchestrator.driver.places import Places
from orchestrator.driver.ports import Refused

_DAEMON = "/usr/sbin/libvirtd"

# Under a private mount table: put the cloud's folders where libvirt looks, then become it.
_START = """
set -e
mkdir -p /run/libvirt /var/lib/libvirt /etc/libvirt /var/log/libvirt /var/cache/libvirt
mount --bind "$1" /run/libvirt
mount --bind "$2/lib" /var/lib/libvirt
mount --bind "$2/etc" /etc/libvirt
mount --bind "$2/log" /var/log/libvirt
mount --bind "$2/cache" /var/cache/libvirt
hostname "$3"
exec "$4" --daemon --config /etc/libvirt/libvirtd.conf --pid-file "$5"
"""

_DAEMON_CONF = """\
listen_tls = 0
listen_tcp = 0
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_group = "root"
unix_sock_rw_perms = "0700"
unix_sock_ro_perms = "0700"
host_uuid = "{uuid}"
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
max_clients = 500
keepalive_interval = 5
"""

_EMULATOR_CONF = """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
seccomp_sandbox = 1
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
vnc_auto_unix_socket = 1
"""


def ensure_daemon(home: Path, tag: str) -> str:
    """Have the cloud's libvirt daemon running and answering.

    Returns:
        the URI to open it with.

    Raises:
        Transient: it does not start now; see ``libvirt/log/libvirtd.log`` under the home.
        Refused: libvirt is not installed.
    """
    places = Places(home, tag)
    with locked(places.daemon / "lock"):
        _reclaim_namespace(places)
        if _running(places) is None:
            _prepare(places)
            _start(places)
    return f"qemu:///system?socket={_socket(places)}"


def ensure_daemon_absent(home: Path, tag: str) -> None:
    """Stop the daemon, every guest and router of the cloud, and remove its namespaces.

    Definitions of machines and all disks stay under the home.
    """
    places = Places(home, tag)
    with locked(places.daemon / "lock"):
        for process in _daemons(places):
            processes.end(process)
        for name in (*namespaces.named(places.router_prefix), places.host_namespace):
            namespaces.ensure_absent(name)
        processes.end_all(lambda: _strays(places))
        # What was told to the network is gone, so its generations are worth nothing.
        for folder in (places.run, places.network):
            shutil.rmtree(folder, ignore_errors=True)


def _running(places: Places) -> processes.Process | None:
    """The daemon, when it runs and its socket is there for us to see."""
    if not _socket(places).is_socket():
        return None
    return next(iter(_daemons(places)), None)


def _daemons(places: Places) -> list[processes.Process]:
    inside = processes.inside(namespaces.path(places.host_namespace))
    return [process for process in inside if process.program == Path(_DAEMON).name]


def _socket(places: Places) -> Path:
    return places.run / "libvirt" / "libvirt-sock"


def _reclaim_namespace(places: Places) -> None:
    """Give the namespace of a daemon that runs its name back, if somebody removed the name."""
    name = places.host_namespace
    if namespaces.exists(name):
        return
    for process in _strays(places):
        if process.program == Path(_DAEMON).name:
            run(["ip", "netns", "attach", name, str(process.pid)])
            return


def _prepare(places: Places) -> None:
    if not Path(_DAEMON).exists():
        raise Refused("libvirtd is not installed")
    namespaces.ensure(places.host_namespace)
    places.run.mkdir(mode=0o711, parents=True, exist_ok=True)
    (places.run / "libvirt").mkdir(mode=0o700, exist_ok=True)
    places.displays.mkdir(mode=0o700, exist_ok=True)
    for name in ("lib", "etc", "log", "cache"):
        (places.daemon / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    identity = uuid.uuid5(uuid.NAMESPACE_URL, str(places.home.absolute()))
    etc = places.daemon / "etc"
    write_whole(etc / "libvirtd.conf", _DAEMON_CONF.format(uuid=identity).encode())
    write_whole(etc / "qemu.conf", _EMULATOR_CONF.encode())


def _start(places: Places) -> None:
    for left in _daemons(places):
        processes.end(left)
    namespaces.inside(
        places.host_namespace,
        [
            *("unshare", "--mount", "--uts", "--propagation", "private", "sh", "-c", _START, "sh"),
            *(str(places.run / "libvirt"), str(places.daemon.absolute())),
            *(f"pileus-{places.tag}", _DAEMON, str(places.run / "libvirtd.pid")),
        ],
    )


def _strays(places: Places) -> list[processes.Process]:
    """Our processes outside our namespaces: somebody removed a namespace's name under them."""
    marks = (f"{places.run}/", f"{places.consoles.absolute()}/")
    return [
        process
        for process in processes.everyone()
        if process.program.startswith(("libvirtd", "qemu-system-", "dnsmasq", "python"))
        and any(mark in argument for argument in process.argv for mark in marks)
    ]
