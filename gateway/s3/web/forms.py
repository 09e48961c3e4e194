"""Browser uploads: a form posted to a bucket is PutObject in other clothes.

The model of S3 has no operation for it, so it is undressed here before anything is routed: its
fields become the headers of the PutObject they stand for, its file that request's body. All the
rest (what may be said of an object, access, checks, the commit) is PutObject's own business. What a
form has of its own is its proof, a signed policy instead of a signed request, and its answers.

Protocol source: "POST Object" and "Browser-based uploads using POST" of the S3 API reference.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from gateway.credentials import Caller
from gateway.s3 import router
from gateway.s3.access.gate import Admission, Proof
from gateway.s3.faults import S3Fault
from gateway.s3.protocol import codec, markup, model
from gateway.s3.protocol.content import Content, Payload
from gateway.s3.protocol.reply import Reply
from gateway.s3.protocol.target import LONGEST_KEY, Target
from gateway.s3.protocol.wire import Wire
from gateway.s3.web import formdata
from gateway.s3.web.formdata import FormData
from gateway.sign import postpolicy
from gateway.sign.postpolicy import BadPolicy, Claim, Forbidden
from gateway.sign.refusals import Refusal
from gateway.sign.request import Request

OPERATION = "PutObject"
"""What a form asks for."""

NAME = "PostObject"
"""What posting one is called where what was asked for is put on record."""

_TYPE = "multipart/form-data"
_FILENAME = "${filename}"
_PROOF = frozenset(("policy", "signature", "awsaccesskeyid")) | {
    f"x-amz-{part}" for part in ("algorithm", "credential", "date", "signature")
}
_PLAIN = frozenset(
    f"content-{part}" for part in ("type", "encoding", "disposition", "language", "md5")
) | {"cache-control", "expires"}
_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+\Z")
_DOCUMENTS = ("200", "201")


@dataclass(frozen=True)
class Form:
    """An upload whose fields were read and whose policy allows it; its file has yet to come.

    Args:
        admission: the signer of its policy, and the headers of the PutObject it stands for.
        url: of the new object.
    """

    admission: Admission
    target: Target
    content: Content
    fields: Mapping[str, str]
    url: str

    def answer(self, reply: Reply) -> tuple[int, codec.Headers, bytes]:
        """What PutObject's reply is for a browser: status, headers and body."""
        headers = codec.headers_of(model.operation(OPERATION), reply.members)
        place = {
            "bucket": self.target.bucket,
            "key": self.target.key,
            "etag": reply.members["ETag"],
        }
        if address := _redirect(self.fields, place):
            return 303, [*headers, ("Location", address), ("Content-Length", "0")], b""
        headers.append(("Location", self.url))
        status = self.fields.get("success_action_status", "")
        if status not in _DOCUMENTS:
            return 204, headers, b""
        body = b"" if status == "200" else _document(self.url, place)
        if body:
            headers.append(("Content-Type", "application/xml"))
        return int(status), [*headers, ("Content-Length", str(len(body)))], body


def is_form(request: Request, target: Target) -> bool:
    """Whether a request is a form posted to a bucket."""
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    whole_bucket = target.bucket is not None and target.key is None and not target.query
    return request.method == "POST" and whole_bucket and kind == _TYPE


def receive(
    request: Request,
    target: Target,
    wire: Wire,
    admit: Callable[[Claim | None], Caller],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Form:
    """Read a form up to its file, and hold it against its policy.

    Args:
        admit: finds out who a claim is of, or nobody's form; called before the policy is read.

    Raises:
        S3Fault: for whatever is wrong with it, and what ``admit`` raises.
    """
    if request.header("authorization") is not None:
        raise S3Fault("InvalidArgument", "A form proves who sends it by its policy alone.")
    if wire.length is None and not wire.unbounded:
        raise S3Fault("MissingContentLength")
    data = FormData(wire.read, formdata.boundary(request.headers["content-type"]))
    sent, filename = data.fields()
    fields = {
        name: value if name in _PROOF else value.replace(_FILENAME, filename)
        for name, value in sent.items()
    }
    claim = _claim(fields)
    caller, key = admit(claim), _key(fields)
    smallest, largest = 0, None
    if claim is not None:
        smallest, largest = _allowed(claim, fields | {"bucket": str(target.bucket)}, now())
    headers, about = _headers(fields), replace(target, key=key, query={})
    _check_plain(about, headers)
    file = _File(data.content(), smallest, largest)
    host, path = request.header("host") or "", request.path.rstrip("/")
    payload = Payload()
    return Form(
        admission=Admission(caller, payload, headers, _proof(claim)),
        target=about,
        content=Content(file, payload, headers),
        fields=fields,
        url=f"{request.scheme}://{host}{path}/{quote(key)}",
    )


class _File:
    """The file of a form as the body of a request, held to the sizes its policy allows."""

    length = None
    unbounded = True

    def __init__(self, pieces: Iterator[bytes], smallest: int, largest: int | None) -> None:
        self._pieces, self._smallest, self._largest = pieces, smallest, largest
        self._seen = 0

    def read(self, most: int) -> bytes:
        """The next piece, as long as it comes; ``b""`` at the end.

        Raises:
            S3Fault: EntityTooLarge, EntityTooSmall, and what the body's form data raises.
        """
        del most  # pieces are of the size in which the wire is read
        piece = next(self._pieces, b"")
        self._seen += len(piece)
        if self._largest is not None and self._seen > self._largest:
            extras = {"ProposedSize": str(self._seen), "MaxSizeAllowed": str(self._largest)}
            raise S3Fault("EntityTooLarge", extras=extras)
        if not piece and self._seen < self._smallest:
            extras = {"ProposedSize": str(self._seen), "MinSizeAllowed": str(self._smallest)}
            raise S3Fault("EntityTooSmall", extras=extras)
        return piece


# -- proof -----------------------------------------------------------------------------------------


def _claim(fields: Mapping[str, str]) -> Claim | None:
    if fields.get("x-amz-security-token"):
        raise S3Fault("InvalidToken")  # keys here are permanent; none belongs to a session
    try:
        return postpolicy.claim(fields)
    except Refusal as refusal:
        raise S3Fault("InvalidArgument", refusal.public) from None


def _proof(claim: Claim | None) -> Proof:
    if claim is None:
        return Proof()
    return Proof("AWS" if claim.scope is None else "AWS4-HMAC-SHA256", "POST")


def _allowed(claim: Claim, fields: Mapping[str, str], now: datetime) -> tuple[int, int | None]:
    """The sizes a policy allows, once it allows everything else."""
    try:
        policy = postpolicy.parse(claim.policy)
        policy.check(fields, now)
    except BadPolicy as error:
        raise S3Fault("InvalidPolicyDocument", str(error)) from None
    except Forbidden as error:
        raise S3Fault("AccessDenied", str(error)) from None
    return policy.smallest, policy.largest


# -- fields ----------------------------------------------------------------------------------------


def _key(fields: Mapping[str, str]) -> str:
    if "key" not in fields:
        raise S3Fault(
            "InvalidArgument",
            "Bucket POST must contain a field named 'key'. If it is specified, please check the "
            "order of the fields.",
            {"ArgumentName": "key", "ArgumentValue": ""},
        )
    key, size = fields["key"], len(fields["key"].encode())
    if not key:
        raise S3Fault("InvalidArgument", "User key must have a length greater than 0.")
    if size > LONGEST_KEY:
        extras = {"Size": str(size), "MaxSizeAllowed": str(LONGEST_KEY)}
        raise S3Fault("KeyTooLongError", extras=extras)
    return key


def _headers(fields: Mapping[str, str]) -> dict[str, str]:
    """The headers a form's fields stand for, spelled as WSGI does."""
    found = {
        name: value
        for name, value in fields.items()
        if (name in _PLAIN or name.startswith("x-amz-")) and name not in _PROOF
    }
    if "acl" in fields:
        found["x-amz-acl"] = fields["acl"]
    if "tagging" in fields:
        found["x-amz-tagging"] = _tagging(fields["tagging"])
    for name in found:
        if not _NAME.match(name):
            extras = {"ArgumentName": name, "ArgumentValue": ""}
            raise S3Fault("InvalidArgument", "No header can have this name.", extras)
    return {name: codec.header(value) for name, value in found.items()}


def _tagging(document: str) -> str:
    """A Tagging document as the query-like text that the header has."""
    shape = model.service().shape_for("Tagging")
    tagging: dict[str, Any] = codec.document(shape, "Tagging", document.encode())
    return urlencode([(tag["Key"], tag["Value"]) for tag in tagging["TagSet"]])


def _check_plain(about: Target, headers: Mapping[str, str]) -> None:
    """No field may turn the upload into something else, as ``x-amz-copy-source`` would."""
    name = router.route("PUT", about, headers)
    if name != OPERATION:
        text = f"The fields of the form ask for {name}, which a form cannot do."
        raise S3Fault("NotImplemented", text)


# -- answers ---------------------------------------------------------------------------------------


def _redirect(fields: Mapping[str, str], place: Mapping[str, Any]) -> str | None:
    """Where the browser is to go next; None where no sensible address is named."""
    wanted = fields.get("success_action_redirect") or fields.get("redirect") or ""
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc or re.search(r"[^!-~]", wanted):
        return None
    query = "&".join(filter(None, (parts.query, urlencode(place, quote_via=quote))))
    return urlunsplit(parts._replace(query=query))


def _document(url: str, place: Mapping[str, Any]) -> bytes:
    elements = {
        "Location": url,
        "Bucket": place["bucket"],
        "Key": place["key"],
        "ETag": place["etag"],
    }
    inner = "".join(f"<{name}>{markup.escape(text)}</{name}>" for name, text in elements.items())
    return f"{codec.DECLARATION}<PostResponse>{inner}</PostResponse>".encode()
