"""A bucket used by a web page: a form posted by a browser, and scripts from another origin."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from subprocess import DEVNULL, Popen
from typing import Any
from urllib.parse import parse_qs, quote

import pytest

from tests.clients.programs import PATIENCE, new_bucket
from tests.gateway.s3.servers import Server

PAGE = Path(__file__).with_name("browser.html").read_bytes()


class Site:
    """The page's own web server: it has the page, and takes the page's report."""

    def __init__(self) -> None:
        self.reports: Queue[Any] = Queue()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(PAGE if self.path == "/" else b"done")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                site.reports.put(json.loads(body))
                self._answer(b"")

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    """The page's web server."""
    opened = Site()
    yield opened
    opened.close()


def visit(site: Site, home: Path, about: Any) -> Any:
    """Open the page in a browser and wait for its report."""
    command = (
        *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--disable-background-networking", "--no-first-run", f"--user-data-dir={home}"),
        f"{site.origin}/#{quote(json.dumps(about))}",
    )
    with Popen(command, stdout=DEVNULL, stderr=DEVNULL) as browser:
        try:
            return site.reports.get(timeout=PATIENCE)
        finally:
            browser.terminate()


def test_a_page_posts_a_form_and_its_scripts_use_the_bucket(
    s3: Server, site: Site, tmp_path: Path
) -> None:
    client, bucket, closed = s3.client(), new_bucket(s3), new_bucket(s3)
    rule = {
        "AllowedOrigins": [site.origin],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["content-type", "x-amz-meta-*"],
        "ExposeHeaders": ["ETag"],
    }
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    client.put_object(Bucket=closed, Key="k", Body=b"x")
    redirect = {"success_action_redirect": f"{site.origin}/done"}
    form = client.generate_presigned_post(
        bucket, "form/${filename}", Conditions=[redirect, ["content-length-range", 1, 100]]
    )

    def url(operation: str, where: str, key: str, **more: Any) -> str:
        given = {"Bucket": where, "Key": key, **more}
        signed: str = client.generate_presigned_url(operation, given)
        return signed

    report = visit(
        site,
        tmp_path / "browser",
        {
            "bucket": form["url"],
            "fields": form["fields"],
            "put": url(
                "put_object", bucket, "script", ContentType="text/plain", Metadata={"a": "b"}
            ),
            "get": url("get_object", bucket, "script"),
            "delete": url("delete_object", bucket, "script"),
            "closed": url("get_object", closed, "k"),
        },
    )
    etag = client.head_object(Bucket=bucket, Key="script")["ETag"]
    assert report["put"] == [200, etag]
    assert report["got"] == ["from a script", etag, None]
    assert (report["deleteRefused"], report["closedRefused"]) == (True, True)
    posted = {name: values[0] for name, values in parse_qs(report["posted"][1:]).items()}
    assert (posted["bucket"], posted["key"]) == (bucket, "form/a file.txt")
    found = client.get_object(Bucket=bucket, Key="form/a file.txt")
    assert (found["Body"].read(), found["ETag"]) == (b"from a form", posted["etag"])
