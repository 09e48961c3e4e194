"""The EC2 endpoint: from an HTTP request to a document, or to an error document.

The order is fixed: bound the body, read the parameters, **authenticate**, and only then look at
what is asked. What is the same for every operation is done here: the request id, the version
echoed, ``DryRun``, filters and pages, and the one place where faults of every make become EC2's.

``DryRun`` runs the operation with a native client that may only read: everything that can be known
without changing anything is checked, and the first change ends it with ``DryRunOperation``.
"""

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Request as FlaskRequest
from flask import Response

from gateway import ids
from gateway.credentials import Caller, CredentialSource
from gateway.ec2 import codec, faults, operations, query, registry, versions
from gateway.ec2.ask import Ask
from gateway.ec2.faults import Ec2Fault
from gateway.ec2.identity import Signed, authenticate
from gateway.ec2.names import Catalog, Shelf
from gateway.front import FORM
from gateway.native import Native, NativeFault, Wire, WouldChange
from gateway.native_calls import Calls
from gateway.objects import Objects
from gateway.settings import Settings
from gateway.sign.request import from_environ

BODY_LIMIT = 1 << 20  # bytes
_DRAIN_LIMIT = 256 << 20  # bytes read and thrown away, so that the client reads our answer
_CHUNK = 1 << 16
_CONTENT_TYPE = "text/xml;charset=UTF-8"
_log = logging.getLogger("gateway.ec2")


@dataclass
class _Entry:
    """What the log will say of a request."""

    id: str
    action: str = "-"
    account: str = "-"


class Ec2:
    """The EC2 API of one gateway."""

    def __init__(
        self,
        settings: Settings,
        source: CredentialSource,
        wire: Wire,
        objects: Objects,
        switched_on: Callable[[], bool] = lambda: True,
    ) -> None:
        operations.load()
        self._settings = settings
        self._source = source
        self._wire = wire
        self._objects = objects
        self._switched_on = switched_on
        self._shelf = Shelf(settings.catalog_cache_seconds)

    def __call__(self, request: FlaskRequest) -> Response:
        """Answer a request; never raises."""
        start = time.perf_counter()
        entry = _Entry(str(uuid.uuid4()))
        try:
            document, status, code = self._answer(request.environ, entry), 200, "-"
        except Exception as error:
            fault = _translated(error, entry)
            document, status, code = faults.envelope(fault, entry.id), fault.status, fault.code
        spent = (time.perf_counter() - start) * 1000
        _log.info(
            "%s %s %s %d %s %.1f ms", entry.id, entry.action, entry.account, status, code, spent
        )
        headers = {"x-amzn-requestid": entry.id}
        return Response(document, status, headers, content_type=_CONTENT_TYPE)

    def _answer(self, environ: dict[str, Any], entry: _Entry) -> str:
        signed = _signed(environ)
        if not self._switched_on():
            raise faults.switched_off()
        now = datetime.now(UTC)
        caller = authenticate(signed, self._source, now, self._settings.ec2_skew)
        entry.account = caller.account
        params = query.once(signed.params)
        operation = _operation(params)
        entry.action = operation.name
        version = query.version(params)
        given = codec.parse(operation.model, query.own(params))
        reply = self._run(operation, given, caller, signed.request.header("host") or "")
        shaped = versions.shape(operation.name, version, reply)
        return codec.render(operation.model, shaped, version, entry.id)

    def _run(
        self, operation: registry.Operation, given: Mapping[str, Any], caller: Caller, host: str
    ) -> registry.Reply:
        arguments = operation.bind(given)
        rehearsed = bool(given.get("DryRun"))
        reply = operation.run(self._ask(caller, host, rehearsed), **arguments)
        if operation.listing is not None:
            reply = operation.listing.apply(given, reply)
        if rehearsed:
            raise WouldChange(operation.name)
        return reply

    def _ask(self, caller: Caller, host: str, rehearsed: bool) -> Ask:
        native = Native(self._wire, caller.access_key, caller.secret)
        calls = Calls(native.rehearsal() if rehearsed else native)
        settings = self._settings
        catalog = Catalog(
            caller.access_key, calls, self._shelf, settings.instance_type, settings.volume_type
        )
        return Ask(caller, calls, catalog, self._objects, settings.region, rehearsed, host)


def _translated(error: Exception, entry: _Entry) -> Ec2Fault:
    """Any exception as EC2's; what EC2 has no words for is a bug of ours, and goes to the log."""
    match error:
        case Ec2Fault():
            return error
        case ids.MalformedId():
            return faults.from_id(error)
        case WouldChange():
            return Ec2Fault(
                "DryRunOperation", "Request would have succeeded, but DryRun flag is set."
            )
        case NativeFault():
            fault = faults.from_native(error)
            if fault.code in ("InternalError", "Unavailable"):
                _log.error("%s %s: native %s: %s", entry.id, entry.action, error.kind, error.text)
            return fault
        case _:
            _log.error("%s %s failed", entry.id, entry.action, exc_info=error)
            return faults.internal()


def _signed(environ: dict[str, Any]) -> Signed:
    request = from_environ(environ)
    try:
        body = _body(environ)
    except Ec2Fault:
        raise
    except Exception as error:  # every server has its own for a client that went away
        raise Ec2Fault("InvalidRequest", "The body could not be read to its end.") from error
    if request.method not in ("GET", "HEAD", "POST"):
        raise Ec2Fault("InvalidRequest", f"The method {request.method} is not supported.")
    form = body if request.method == "POST" else b""
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if form and kind != FORM:
        raise Ec2Fault("InvalidRequest", f"The content type must be {FORM}.")
    return Signed(request, query.pairs(request.query, form), body)


def _body(environ: dict[str, Any]) -> bytes:
    """The whole body.

    Raises:
        Ec2Fault: it is too large. It is still read, since a connection that is closed with unread
            data is reset, and the client would not see why.
    """
    stream, length = environ["wsgi.input"], environ.get("CONTENT_LENGTH") or ""
    if not length.isdigit() and not environ.get("wsgi.input_terminated"):
        return b""
    size = int(length) if length.isdigit() else _DRAIN_LIMIT
    body = b""
    while len(body) <= BODY_LIMIT and (chunk := stream.read(min(_CHUNK, size - len(body)))):
        body += chunk
    if len(body) <= BODY_LIMIT:
        return body
    left = min(size, _DRAIN_LIMIT) - len(body)
    while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
        left -= len(chunk)
    raise Ec2Fault("RequestEntityTooLarge", f"A request must not exceed {BODY_LIMIT} bytes.")


def _operation(params: dict[str, str]) -> registry.Operation:
    action = params.get("Action")
    if not action:
        raise Ec2Fault("MissingAction", "The request must contain the parameter Action.")
    found = registry.OPERATIONS.get(action)
    if found:
        return found
    if codec.operation(action):
        raise faults.unsupported(f"This cloud does not offer the operation {action}.")
    raise Ec2Fault("InvalidAction", f"The action {action} is not valid for this web service.")
