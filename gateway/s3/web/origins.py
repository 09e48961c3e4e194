"""Where requests of other origins meet the rules of the bucket they are about."""

from collections.abc import Sequence

from gateway.s3.faults import S3Fault
from gateway.s3.options import Options
from gateway.s3.protocol import target
from gateway.s3.protocol.codec import Headers
from gateway.s3.web import cors
from gateway.sign.request import Request
from s3store.faults import NoSuchBucket, StoreFault
from s3store.store import Store


class Origins:
    """The CORS side of one endpoint. Nobody needs to be anybody here: rules are about pages."""

    def __init__(self, store: Store, options: Options) -> None:
        self._store = store
        self._options = options

    def preflight(self, request: Request) -> Headers:
        """The answer to a browser that asks before it sends a request.

        Raises:
            S3Fault: BadRequest, AccessForbidden.
        """
        return cors.preflight(self._rules(request), request.headers)

    def added(self, request: Request) -> Headers:
        """What an answer gets besides, so that a page of another origin may see it."""
        if not request.header("origin") or request.method == "OPTIONS":
            return []
        try:
            return cors.plain(self._rules(request) or (), request.headers, request.method)
        except (S3Fault, StoreFault):
            return []  # there is an answer already, and it says better what is wrong

    def _rules(self, request: Request) -> Sequence[cors.Rule] | None:
        bucket = target.parse(request, self._options.mount, self._options.hosts).bucket
        if not bucket:
            return None
        try:
            document = self._store.bucket(bucket).settings.get("cors")
        except NoSuchBucket:
            return None
        rules: Sequence[cors.Rule] | None = document and document["CORSRules"]
        return rules
