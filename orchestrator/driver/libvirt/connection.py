"""The one room that talks to libvirt's library: connections, and what its errors mean.

A connection opens when first used, and again after the daemon was restarted. Keepalive pings go
out from the library's own event loop, which runs in a thread from the first connection on: a
daemon that hangs fails our calls after 15 seconds instead of holding a worker for ever.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import libvirt

from orchestrator.driver.ports import Refused, Transient

_PING_SECONDS = 5
_PINGS_LOST = 3

# What will fail again however often it is tried. Everything else may pass: the daemon restarts,
# a monitor is slow, a file is locked, another call was first.
_HOPELESS = frozenset(
    {
        libvirt.VIR_ERR_NO_SUPPORT,
        libvirt.VIR_ERR_INVALID_ARG,
        libvirt.VIR_ERR_XML_ERROR,
        libvirt.VIR_ERR_XML_DETAIL,
        libvirt.VIR_ERR_XML_INVALID_SCHEMA,
        libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
        libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED,
        libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
        libvirt.VIR_ERR_OPERATION_DENIED,
        libvirt.VIR_ERR_ACCESS_DENIED,
        libvirt.VIR_ERR_AUTH_FAILED,
        libvirt.VIR_ERR_UNKNOWN_HOST,
    }
)

_loop_lock = threading.Lock()
_loop_runs = False


class Connection:
    """One way to one libvirt daemon, shared by threads.

    Args:
        reach: makes sure that the daemon runs and says its URI; called for every opening.
    """

    def __init__(self, reach: Callable[[], str]) -> None:
        self._reach = reach
        self._lock = threading.Lock()
        self._link: Any = None

    @contextmanager
    def use(self) -> Iterator[Any]:
        """The open ``virConnect``; errors inside come out as driver errors."""
        try:
            yield self._open()
        except libvirt.libvirtError as error:
            raise translated(error) from error

    def close(self) -> None:
        """Hang up. The next use opens again."""
        with self._lock:
            link, self._link = self._link, None
        if link is not None:
            link.close()

    def _open(self) -> Any:
        with self._lock:
            if self._link is None or not self._link.isAlive():
                _run_loop()
                self._link = _dialled(self._reach())
                self._link.setKeepAlive(_PING_SECONDS, _PINGS_LOST)
            return self._link


def translated(error: Any) -> Transient | Refused:
    """A libvirt error as a driver error."""
    text = f"libvirt {error.get_error_code()}: {error}"
    return Refused(text) if error.get_error_code() in _HOPELESS else Transient(text)


def found(link: Any, name: str) -> Any | None:
    """The domain of this name, or None."""
    return _unless_gone(lambda: link.lookupByName(name))


@contextmanager
def gone_is_fine() -> Iterator[None]:
    """Somebody else was first, or the domain is gone: what was wanted need not be done."""
    try:
        yield
    except libvirt.libvirtError as error:
        if error.get_error_code() not in (
            libvirt.VIR_ERR_NO_DOMAIN,
            libvirt.VIR_ERR_OPERATION_INVALID,
        ):
            raise


def attempted(act: Callable[..., object], *arguments: object) -> Transient | Refused | None:
    """Do it; a libvirt error is returned, for the caller to look whether it matters."""
    try:
        act(*arguments)
    except libvirt.libvirtError as error:
        return translated(error)
    return None


def described(domain: Any, *, lasting: bool) -> str | None:
    """The domain's XML, of its definition (``lasting``) or as it runs; None when it has none."""
    if not lasting and not _unless_gone(domain.isActive):
        return None
    flags = libvirt.VIR_DOMAIN_XML_INACTIVE if lasting else 0
    return _unless_gone(lambda: domain.XMLDesc(flags))


def _unless_gone(ask: Callable[[], Any]) -> Any | None:
    try:
        return ask()
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
            raise
        return None


def _dialled(uri: str) -> Any:
    """Open the connection, with a time limit: pings only begin on an open one."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def dial() -> None:
        try:
            answers.put(libvirt.open(uri))
        except libvirt.libvirtError as error:
            answers.put(error)

    threading.Thread(target=dial, name="libvirt-dial", daemon=True).start()
    try:
        answer = answers.get(timeout=_PING_SECONDS * _PINGS_LOST)
    except queue.Empty:
        raise Transient("the libvirt daemon does not answer") from None
    if isinstance(answer, libvirt.libvirtError):
        raise answer
    return answer


def _run_loop() -> None:
    """Start the library's event loop, once in a process and before its first connection."""
    global _loop_runs
    with _loop_lock:
        if _loop_runs:
            return
        libvirt.registerErrorHandler(lambda _context, _error: None, None)
        libvirt.virEventRegisterDefaultImpl()
        threading.Thread(target=_turn, name="libvirt-events", daemon=True).start()
        _loop_runs = True


def _turn() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()
