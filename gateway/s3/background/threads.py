"""What one endpoint does besides answering: all the work that goes on behind its requests."""

from functools import partial

from gateway.s3.background import lifecycle, service
from gateway.s3.background.accesslog import AccessLog
from gateway.s3.background.delivery import Courier
from gateway.s3.background.events import Cause
from gateway.s3.background.trace import Trace
from gateway.s3.options import Options
from gateway.s3.protocol.codec import Headers
from s3store.metering import keep_metering
from s3store.store import Store
from s3store.sweep import keep_sweeping
from s3store.witness import witnessed


class Background:
    """The sweep, the meter, lifecycle rules, notifications and access logs of one process."""

    def __init__(self, store: Store, options: Options) -> None:
        """Prepare it; nothing is opened and nothing runs yet."""
        self._store, self._options = store, options
        self._log: AccessLog | None = None
        if options.spool is not None:
            put = partial(service.put, store, options)
            self._log = AccessLog(store, options.spool, options.log_every, options.region, put)

    def start(self) -> None:
        """Do it from now on, in threads; never before a fork."""
        options = self._options
        keep_sweeping(self._store, options.sweep_every, options.sweep_grace)
        keep_metering(self._store)
        cause = Cause.of_lifecycle(options.region)
        lifecycle.keep_applying(self._store, options.day, partial(witnessed, cause))
        Courier(self._store, options.guard).start()
        if self._log is not None:
            self._log.start()

    def record(self, trace: Trace, status: str, headers: Headers) -> None:
        """Note how a request was answered."""
        if self._log is not None:
            self._log.record(trace, int(status.partition(" ")[0]), headers)
