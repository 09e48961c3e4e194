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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from gateway.credentials import NOBODY, CredentialSource
from gateway.native import NativeFault
from gateway.s3 import operations, registry, router
from gateway.s3.access.conditionkeys import Facts
from gateway.s3.access.decisions import Access
from gateway.s3.access.gate import Admission, Gate
from gateway.s3.ask import Ask
from gateway.s3.background import trace
from gateway.s3.background.events import Cause
from gateway.s3.background.threads import Background
from gateway.s3.background.trace import Trace, tracing
from gateway.s3.faults import S3Fault, of_store
from gateway.s3.options import Options
from gateway.s3.protocol import codec, markup, target
from gateway.s3.protocol.content import Content, Payload
from gateway.s3.protocol.reply import Body, Reply
from gateway.s3.protocol.sending import send
from gateway.s3.protocol.target import Target
from gateway.s3.protocol.wire import Wire
from gateway.s3.web import forms
from gateway.s3.web.origins import Origins
from gateway.s3.web.sites import Get, Sites, refusal
from gateway.s3.web.website import Page
from gateway.sign.request import Request, from_environ
from s3store.faults import StoreFault
from s3store.store import Store
from s3store.witness import witnessed

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

_DRAIN = 8 << 20  # bytes
_ENCODING = "EncodingType"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """A reply as HTTP: status line, headers and what follows them."""

    status: str
    headers: codec.Headers
    body: bytes | Body = b""


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
        self._origins = Origins(store, self._options)
        self._sites = Sites(store, self._options)
        self._background = Background(store, self._options)
        self._starting = threading.Lock()
        self._started = False

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        self._start()
        received = from_environ(environ)
        wire = Wire(environ, self._options.patience)
        request_id = os.urandom(8).hex().upper()
        host_id = base64.b64encode(os.urandom(48)).decode()
        with tracing(Trace(received, request_id, host_id)) as traced:
            answer = self._answer_or_refuse(received, wire, traced)
        wire.drain(_DRAIN)
        ids = [("x-amz-request-id", request_id), ("x-amz-id-2", host_id)]
        headers = answer.headers + self._origins.added(received) + ids
        self._background.record(traced, answer.status, headers)
        body, handover = answer.body, self._options.handover
        if handover is not None:
            headers, body = handover.settle(received, answer.status, headers, body)
        start_response(answer.status, headers)
        return send(body, environ)

    def _answer_or_refuse(self, received: Request, wire: Wire, traced: Trace) -> Answer:
        request_id, host_id = traced.request_id, traced.host_id
        try:
            return self._answer(received, wire)
        except S3Fault as fault:
            traced.code = fault.code
            if self._sites.meant(received) and fault.status >= HTTPStatus.BAD_REQUEST:
                return _of_page(refusal(fault, received, request_id, host_id))
            return _refusal(fault, received, request_id, host_id)
        except Exception:
            _log.exception("request %s failed: %s %s", request_id, received.method, received.path)
            broken = S3Fault("InternalError")
            traced.code = broken.code
            return _refusal(broken, received, request_id, host_id)

    def _start(self) -> None:
        """With the first request, since before a fork no thread may be started."""
        if self._started:
            return
        with self._starting:
            if not self._started:
                self._background.start()
                self._started = True

    def _check_switch(self) -> None:
        """Refuse everything while the operator does not offer S3."""
        try:
            on = self._options.switched_on()
        except NativeFault as fault:
            raise S3Fault("ServiceUnavailable", fault.text) from fault
        if not on:
            raise S3Fault("AllAccessDisabled")

    def _answer(self, received: Request, wire: Wire) -> Answer:
        self._check_switch()
        if received.method == "OPTIONS":
            return Answer("200 OK", [*self._origins.preflight(received), ("Content-Length", "0")])
        if self._sites.meant(received):
            return _of_page(self._sites.page(received, self._for_nobody(received, wire)))
        # A plus sign stands for itself; spelled so, every reader of the query agrees.
        request = received
        if "+" in received.query:
            request = replace(received, query=received.query.replace("+", "%2B"))
        about = target.parse(request, self._options.mount, self._options.hosts)
        trace.present().about = about
        if forms.is_form(request, about):
            return self._answer_form(request, about, wire)
        admission = self._gate.admit(request, about)
        operation = registry.find(router.route(request.method, about, admission.headers))
        content = Content(wire, admission.payload, operation.of_body(admission.headers))
        return self._rendered(operation, about, admission, content, request)

    def _rendered(
        self,
        operation: registry.Operation,
        about: Target,
        admission: Admission,
        content: Content,
        request: Request,
    ) -> Answer:
        reply = self._perform(operation, about, admission, content, request)
        try:
            return _render(operation, reply, operation.model.http["method"])
        except S3Fault:
            reply.close()
            raise

    def _for_nobody(self, request: Request, wire: Wire) -> Get:
        """What visitors of websites get objects with."""

        def get(name: str, about: Target, headers: Mapping[str, str]) -> Page:
            admission = Admission(NOBODY, Payload(), headers)
            content = Content(wire, admission.payload, headers)
            answer = self._rendered(registry.find(name), about, admission, content, request)
            return Page(int(answer.status.partition(" ")[0]), answer.headers, answer.body)

        return get

    def _answer_form(self, request: Request, about: Target, wire: Wire) -> Answer:
        """A form posted by a browser, for which the model of S3 has no operation."""
        trace.present().operation = forms.NAME
        form = forms.receive(request, about, wire, self._gate.admit_form)
        operation = registry.find(forms.OPERATION)
        status, headers, body = form.answer(
            self._perform(operation, form.target, form.admission, form.content, request)
        )
        return Answer(f"{status} {HTTPStatus(status).phrase}", headers, body)

    def _perform(
        self,
        operation: registry.Operation,
        about: Target,
        admission: Admission,
        content: Content,
        request: Request,
    ) -> Reply:
        """Let the operation do what of the request it declares to take."""
        trace.present().admitted(operation.model.name, about, admission)
        members = codec.decode(operation.model, about, admission.headers)
        members |= _document(operation, content)
        facts = Facts.of(request, about, admission, members, self._options.region)
        ask = Ask(
            self._store,
            admission.caller,
            self._options,
            content,
            members.get("ExpectedBucketOwner"),
            Access(facts, self._store.head),
            operation.action,
            about.key,
            about.query.get("versionId"),
        )
        try:
            with witnessed(Cause.of_request(trace.present(), self._options.region)):
                return operation.run(ask, **operation.arguments(members))
        except StoreFault as fault:
            raise _in_place(ask.hidden(of_store(fault)), about) from fault
        except S3Fault as fault:
            raise _in_place(ask.hidden(fault), about) from fault


def _document(operation: registry.Operation, content: Content) -> codec.Members:
    """The member that the request's XML document is, if it is one's turn to have one."""
    if operation.document is None:
        return {}
    name, shape = operation.document
    if operation.needs_digest and not content.has_integrity:
        raise S3Fault(
            "InvalidRequest",
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
        )
    body = content.read(operation.longest, missing=b"")
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
    body: bytes | Body = _document_of(operation, reply)
    if body:
        headers.append(("Content-Type", codec.type_of(operation.model)))
    if reply.body is not None:
        body = reply.body
    if status is not HTTPStatus.NO_CONTENT and "ContentLength" not in reply.members:
        headers.append(
            ("Content-Length", str(len(body) if isinstance(body, bytes) else body.length))
        )
    return Answer(f"{status.value} {status.phrase}", headers, b"" if method == "HEAD" else body)


def _document_of(operation: registry.Operation, reply: Reply) -> bytes:
    """A reply's document. A listing says every key as it is, or not at all.

    Raises:
        S3Fault: InvalidArgument, when XML cannot hold a key of a listing that was not encoded.
    """
    mend = _ENCODING not in operation.accepts
    try:
        return codec.body_of(operation.model, reply.members, operation.root, mend=mend)
    except markup.Unfit as why:
        text = "XML cannot hold a key of this page: ask for it with encoding-type=url."
        raise S3Fault("InvalidArgument", text, {"ArgumentName": "encoding-type"}) from why


def _of_page(page: Page) -> Answer:
    phrase = HTTPStatus(page.status).phrase
    return Answer(f"{page.status} {phrase}", page.headers, page.body)


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
    inner = "".join(f"<{name}>{markup.escape(text)}</{name}>" for name, text in elements.items())
    return f"{codec.DECLARATION}<Error>{inner}</Error>".encode("utf-8", "replace")
