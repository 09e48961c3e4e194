"""Talking to a Ceph cluster: its library, connections, and what its refusals mean to the store.

The library is Ceph's own and comes with Ceph, not from PyPI. A virtual environment does not see
the system's packages, so it is looked for where Debian puts it, by itself.
"""

import errno
import logging
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any, NamedTuple

from s3store import faults
from s3store.engines.places import Pool

SYSTEM = "/usr/lib/python3/dist-packages"
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT))
_log = logging.getLogger(__name__)

Steps = Callable[[Any], None]
"""Says what is done to one RADOS object, all of it or nothing, by filling a ``rados.WriteOp``."""


def binding(system: str = SYSTEM) -> Any:
    """Ceph's library for Python, ``rados``.

    Raises:
        ModuleNotFoundError: it is not there, with the remedy.
    """
    if "rados" in sys.modules:
        return sys.modules["rados"]
    spec = find_spec("rados") or PathFinder.find_spec("rados", [system])
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(
            "content in a Ceph cluster needs Ceph's library for this Python "
            f"({sys.version_info.major}.{sys.version_info.minor}): apt-get install python3-rados"
        )
    module = sys.modules["rados"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Connection(NamedTuple):
    client: Any
    pool: Any

    def close(self) -> None:
        self.pool.close()
        self.client.shutdown()


class Cluster:
    """A connection for every process, made on its first call: none survives a fork."""

    def __init__(self, place: Pool, timeout: timedelta) -> None:
        """Take where it is; nothing is connected to before the first call.

        Args:
            timeout: after which an operation, or connecting, is given up.
        """
        self._rados, self._place, self._timeout = binding(), place, timeout
        self._made: dict[int, _Connection] = {}

    def close(self) -> None:
        """Close this process's connection; the next call makes a new one."""
        made = self._made.pop(os.getpid(), None)
        if made is not None:
            made.close()

    @contextmanager
    def pool(self) -> Iterator[Any]:
        """The pool (``rados.Ioctx``); what it refuses inside becomes a fault of the store.

        Raises:
            StoreBusy, StoreFull, FileNotFoundError.
        """
        pool = self._connected().pool
        try:
            yield pool
        except self._rados.Error as error:
            raise _fault(getattr(error, "errno", None) or 0) from error

    def change(self, name: str, steps: Steps) -> None:
        """Change one RADOS object; it is on the disks of all its replicas when this returns.

        Raises:
            StoreBusy, StoreFull, FileNotFoundError.
        """
        with self.flight(1) as flight:
            flight.change(name, steps)

    @contextmanager
    def flight(self, most: int, *, missing_ok: bool = False) -> Iterator["Flight"]:
        """Changes under way at once, at most so many; all are done at the end.

        Raises:
            StoreBusy, StoreFull; FileNotFoundError unless ``missing_ok``.
        """
        with self.pool() as pool:
            flight = Flight(pool, self._rados.WriteOp, most, missing_ok)
            try:
                yield flight
                flight.land()
            finally:
                flight.abandon()

    def _connected(self) -> _Connection:
        made = self._made.get(os.getpid())
        if made is None:
            new = self._connect()
            made = self._made.setdefault(os.getpid(), new)
            if made is not new:  # another thread was quicker
                new.close()
        return made

    def _connect(self) -> _Connection:
        """Whatever is wrong here, nothing can be said of any content."""
        try:
            client = self._rados.Rados(
                name=self._place.user, conffile=self._place.conf, conf=self._settings()
            )
            client.connect()
            pool = client.open_ioctx(self._place.pool)
            pool.set_namespace(self._place.namespace)
        except self._rados.Error as error:
            _log.warning("the place of the content cannot be reached: %s", error)
            raise faults.StoreBusy("The place of the content does not answer.") from error
        # A full pool says so instead of letting us wait, and still lets us remove.
        pool.set_osdmap_full_try()
        return _Connection(client, pool)

    def _settings(self) -> dict[str, str]:
        names = ("rados_osd_op_timeout", "rados_mon_op_timeout", "client_mount_timeout")
        settings = dict.fromkeys(names, f"{self._timeout.total_seconds():.0f}")
        return settings | ({"key": self._place.key} if self._place.key else {})


class Flight:
    """Changes sent one after the other without waiting for each. Those of one object keep order."""

    def __init__(self, pool: Any, make: Callable[[], Any], most: int, missing_ok: bool) -> None:
        self._pool, self._make, self._most, self._missing_ok = pool, make, most, missing_ok
        self._sent: deque[tuple[Any, Any]] = deque()

    def change(self, name: str, steps: Steps) -> None:
        """Send a change of one RADOS object; faults of this one or an earlier one may be raised."""
        while len(self._sent) >= self._most:
            self._check(self._wait())
        operation = self._make().create()
        steps(operation)
        self._sent.append((operation, self._pool.operate_aio_write_op(operation, name)))

    def land(self) -> None:
        """Wait for all that were sent, and raise the first fault."""
        while self._sent:
            self._check(self._wait())

    def abandon(self) -> None:
        """Wait for all that were sent, whatever becomes of them."""
        while self._sent:
            self._wait()

    def _wait(self) -> int:
        operation, completion = self._sent.popleft()
        completion.wait_for_complete()
        operation.release()
        return int(completion.get_return_value())

    def _check(self, result: int) -> None:
        if result < 0 and not (self._missing_ok and result == -errno.ENOENT):
            raise _fault(-result)


def _fault(code: int) -> Exception:
    if code == errno.ENOENT:
        return FileNotFoundError(code, os.strerror(code))
    if code in _FULL:
        return faults.StoreFull("There is no room for the data.")
    _log.warning("the place of the content refuses: %s", os.strerror(code))
    return faults.StoreBusy("The place of the content does not answer.")
