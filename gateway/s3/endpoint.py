"""S3 over HTTP: a plain WSGI application, one request in, one answer out.

In this order: the target is read from the raw request line, the route from the model, the caller
from the signature; then the operation's own declaration decides which parts of the request it
takes, and only then does the operation run. Everything that goes wrong, anywhere, becomes one error
document here. A body that was not read is read and forgotten up to a bound, so that a client still
sending gets to see the answer; what is left after that makes the server close the connection.
"""

import base64
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from gateway.credentials import CredentialSource
from gateway.s3 import codec, operations, registry, router, target
from gateway.s3.ask import Ask
from gateway.s3.content import Content
from gateway.s3.faults import S3Fault, of_store
from gateway.s3.gate import Gate
from gateway.s3.options import Options
from gateway.s3.reply import Reply, Slice
from gateway.s3.target import Target
from gateway.s3.wire import PIECE, Wire
from gateway.sign.request import Request, from_environ
from s3store.faults import StoreFault
from s3store.store import Store
from s3store.sweep import keep_sweeping

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

_DRAIN = 8 << 20  # bytes
_SMALL = 64 << 10  # bytes; up to here a file goes out with the headers' own packet
_LONGEST_DOCUMENT = 2 << 20  # bytes
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """A reply as HTTP: status line, headers and what follows them."""

    status: str
    headers: codec.Headers
    body: bytes | Slice = b""


class S3:
    """The WSGI application."""

    def __init__(
        self, store: Store, credentials: CredentialSource, options: Options | None = None
    ) -> None:
        """Serve a store to the callers that a credential source knows."""
        operations.load()
        self._store = store
        self._options = options or Options()
        self._gate = Gate(credentials, self._options)
        self._starting = threading.Lock()
        self._started = False

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        self._start()
        received = from_environ(environ)
        wire = Wire(environ)
        request_id = os.urandom(8).hex().upper()
        host_id = base64.b64encode(os.urandom(48)).decode()
        try:
            answer = self._answer(received, wire)
        except S3Fault as fault:
            answer = _refusal(fault, received, request_id, host_id)
        except Exception:
            _log.exception("request %s failed: %s %s", request_id, received.method, received.path)
            answer = _refusal(S3Fault("InternalError"), received, request_id, host_id)
        wire.drain(_DRAIN)
        ids = [("x-amz-request-id", request_id), ("x-amz-id-2", host_id)]
        start_response(answer.status, answer.headers + ids)
        return _send(answer.body, environ)

    def _start(self) -> None:
        """With the first request, since before a fork no thread may be started."""
        if self._started:
            return
        with self._starting:
            if not self._started:
                keep_sweeping(self._store, self._options.sweep_every, self._options.sweep_grace)
                self._started = True

    def _answer(self, received: Request, wire: Wire) -> Answer:
        # A plus sign stands for itself; spelled so, every reader of the query agrees.
        request = replace(received, query=received.query.replace("+", "%2B"))
        about = target.parse(request, self._options.mount)
        admission = self._gate.admit(request, about)
        operation = registry.find(router.route(request.method, about, admission.headers))
        content = Content(wire, admission.payload, admission.headers)
        members = codec.decode(operation.model, about, admission.headers)
        members |= _document(operation, content)
        ask = Ask(
            self._store,
            admission.caller,
            self._options,
            content,
            members.get("ExpectedBucketOwner"),
        )
        try:
            reply = operation.run(ask, **operation.arguments(members))
        except StoreFault as fault:
            raise _in_place(of_store(fault), about) from fault
        except S3Fault as fault:
            raise _in_place(fault, about) from fault
        return _render(operation, reply, request.method)


def _document(operation: registry.Operation, content: Content) -> codec.Members:
    """The member that the request's XML document is, if it is one's turn to have one."""
    if operation.document is None:
        return {}
    name, shape = operation.document
    required = operation.model.http_checksum.get("requestChecksumRequired", False)
    if required and not content.has_integrity:
        raise S3Fault(
            "InvalidRequest",
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
        )
    body = content.read(_LONGEST_DOCUMENT, missing=b"")
    if not body:
        if operation.model.input_shape and name in operation.model.input_shape.required_members:
            raise S3Fault("MalformedXML")
        return {}
    return {name: codec.document(shape, shape.serialization.get("name", name), body)}


def _in_place(fault: S3Fault, about: Target) -> S3Fault:
    """With the names of bucket and key, where the fault is about one of them."""
    if fault.code in ("NoSuchBucket", "BucketNotEmpty") and about.bucket:
        fault.extras.setdefault("BucketName", about.bucket)
    if fault.code == "NoSuchKey" and about.key:
        fault.extras.setdefault("Key", about.key)
    return fault


def _render(operation: registry.Operation, reply: Reply, method: str) -> Answer:
    status = HTTPStatus(reply.status or operation.model.http.get("responseCode") or 200)
    headers = codec.headers_of(operation.model, reply.members)
    body: bytes | Slice = codec.body_of(operation.model, reply.members, operation.root)
    if body:
        headers.append(("Content-Type", "application/xml"))
    if reply.body is not None:
        body = reply.body
    if status is not HTTPStatus.NO_CONTENT and "ContentLength" not in reply.members:
        headers.append(
            ("Content-Length", str(body.length if isinstance(body, Slice) else len(body)))
        )
    return Answer(f"{status.value} {status.phrase}", headers, b"" if method == "HEAD" else body)


def _refusal(fault: S3Fault, request: Request, request_id: str, host_id: str) -> Answer:
    headers = list(fault.headers.items())
    if fault.status == HTTPStatus.NOT_MODIFIED:
        return Answer(fault.status_line, headers)
    headers.append(("Content-Type", "application/xml"))
    if request.method == "HEAD":
        return Answer(fault.status_line, [*headers, ("Content-Length", "0")])
    elements = {
        "Code": fault.code,
        "Message": fault.message,
        **fault.extras,
        "Resource": request.path,
        "RequestId": request_id,
        "HostId": host_id,
    }
    body = _error_document(elements)
    return Answer(fault.status_line, [*headers, ("Content-Length", str(len(body)))], body)


def _error_document(elements: Mapping[str, str]) -> bytes:
    inner = "".join(f"<{name}>{codec.escape(text)}</{name}>" for name, text in elements.items())
    return f"{codec.DECLARATION}<Error>{inner}</Error>".encode("utf-8", "replace")


def _send(body: bytes | Slice, environ: Environ) -> Iterable[bytes]:
    """A file goes out by sendfile where the server offers it, small ones without that detour."""
    if isinstance(body, bytes):
        return [body] if body else []
    if body.length <= _SMALL:
        with body.file as file:
            file.seek(body.start)
            return [file.read(body.length)]
    body.file.seek(body.start)
    if "wsgi.file_wrapper" in environ:
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](body.file, PIECE)
        return wrapped
    return _pieces(body)


def _pieces(body: Slice) -> Iterator[bytes]:
    left = body.length
    with body.file as file:
        while left and (piece := file.read(min(left, PIECE))):
            left -= len(piece)
            yield piece
