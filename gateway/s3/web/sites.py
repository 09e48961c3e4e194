"""Where visitors of websites meet buckets: from a request to a page."""

from collections.abc import Callable, Mapping

from gateway.s3.faults import S3Fault, of_store
from gateway.s3.options import Options
from gateway.s3.protocol import target
from gateway.s3.protocol.target import Target
from gateway.s3.web import website
from gateway.s3.web.website import Page, Visit
from gateway.sign.request import Request
from s3store.faults import StoreFault
from s3store.store import Store

Get = Callable[[str, Target, Mapping[str, str]], Page]
"""Lets nobody in particular do an operation: its name, bucket and key, and headers."""

# What a visitor may say of the object; the rest of a request means nothing to a website.
_KEPT = ("range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since")
_METHODS = ("GET", "HEAD")


class Sites:
    """The websites of one endpoint."""

    def __init__(self, store: Store, options: Options) -> None:
        self._store = store
        self._options = options

    def meant(self, request: Request) -> bool:
        """Whether a request is to a website."""
        place = self._options.hosts.place(request.header("host"))
        return place is not None and place.website

    def page(self, request: Request, get: Get) -> Page:
        """The answer to a visitor.

        Raises:
            S3Fault: see :meth:`refusal`.
        """
        about = target.parse(request, self._options.mount, self._options.hosts)
        bucket = about.bucket or ""
        site = self._site(bucket)
        if request.method not in _METHODS:
            raise S3Fault("MethodNotAllowed", extras={"Method": request.method})
        operation = "HeadObject" if request.method == "HEAD" else "GetObject"
        kept = {name: value for name, value in request.headers.items() if name in _KEPT}

        def object_of(key: str) -> Target:
            return Target(request.path, bucket, key, {})

        def exists(key: str) -> bool:
            try:
                return get("HeadObject", object_of(key), {}).status == 200
            except S3Fault:
                return False

        return website.serve(
            site,
            Visit(
                base=f"{request.scheme}://{request.header('host')}",
                path=request.path,
                key=about.key or "",
                read=lambda key: get(operation, object_of(key), kept),
                fetch=lambda key: get(operation, object_of(key), {}),
                exists=exists,
            ),
        )

    def _site(self, bucket: str) -> Mapping[str, object]:
        try:
            document = self._store.bucket(bucket).settings.get("website")
        except StoreFault as fault:
            raise S3Fault(of_store(fault).code, extras={"BucketName": bucket}) from None
        if document is None:
            raise S3Fault("NoSuchWebsiteConfiguration", extras={"BucketName": bucket})
        site: Mapping[str, object] = document
        return site


def refusal(fault: S3Fault, request: Request, request_id: str, host_id: str) -> Page:
    """A refusal as visitors see it."""
    failed = fault.failed if isinstance(fault, website.Unshown) else None
    page = website.told(fault, {"RequestId": request_id, "HostId": host_id}, failed=failed)
    return Page(page.status, page.headers, b"" if request.method == "HEAD" else page.body)
