"""Websites over the wire: anybody's browser, and nothing but what is public."""

import json

import pytest

from tests.gateway.s3.raw import Answer, send
from tests.gateway.s3.servers import Server

SITE = {
    "IndexDocument": {"Suffix": "index.html"},
    "ErrorDocument": {"Key": "errors/404.html"},
    "RoutingRules": [
        {"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"}}
    ],
}
PAGES = {
    "index.html": b"<h1>home</h1>",
    "docs/index.html": b"<h1>docs</h1>",
    "errors/404.html": b"<h1>lost</h1>",
    "a b+c.txt": b"0123456789",
}


def publish(server: Server, bucket: str, *actions: str) -> None:
    """Let everybody do this to what is in a bucket."""
    where = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    statement = {"Effect": "Allow", "Principal": "*", "Action": actions, "Resource": where}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    store = server.store()
    store.set_setting(store.bucket(bucket), "policy", json.dumps(policy))


@pytest.fixture
def site(server: Server, bucket: str) -> str:
    """A bucket that everybody may read, as a website."""
    client = server.client()
    for key, body in PAGES.items():
        client.put_object(Bucket=bucket, Key=key, Body=body, ContentType="text/html")
    client.put_bucket_website(Bucket=bucket, WebsiteConfiguration=SITE)
    publish(server, bucket, "s3:GetObject", "s3:ListBucket")
    return bucket


def visit(server: Server, bucket: str, path: str, method: str = "GET", **more: str) -> Answer:
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    return send(server, method, path, {"Host": f"{bucket}.web.test:{server.port}", **headers})


def test_pages_are_shown_to_anybody(server: Server, site: str) -> None:
    home = visit(server, site, "/")
    assert (home.status, home.body) == (200, PAGES["index.html"])
    assert home.headers["content-type"] == "text/html"
    assert "etag" in home.headers
    assert visit(server, site, "/docs/?utm_source=x&acl").body == PAGES["docs/index.html"]
    assert visit(server, site, "/a%20b+c.txt").body == PAGES["a b+c.txt"]
    moved = visit(server, site, "/docs")
    base = f"http://{site}.web.test:{server.port}"
    assert (moved.status, moved.headers["location"]) == (302, f"{base}/docs/")
    moved = visit(server, site, "/old/x")
    assert (moved.status, moved.headers["location"]) == (301, f"{base}/new/x")


def test_only_the_head_is_shown_to_who_asks_for_it(server: Server, site: str) -> None:
    head = visit(server, site, "/", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(PAGES["index.html"]))
    assert visit(server, site, "/nothing", "HEAD").status == 404
    assert visit(server, "no-such-bucket", "/", "HEAD").status == 404


def test_ranges_and_conditions_hold(server: Server, site: str) -> None:
    part = visit(server, site, "/a%20b+c.txt", Range="bytes=2-4")
    assert (part.status, part.body) == (206, b"234")
    etag = visit(server, site, "/").headers["etag"]
    same = visit(server, site, "/", If_None_Match=etag)
    assert (same.status, same.body) == (304, b"")
    assert "content-type" not in same.headers
    failed = visit(server, site, "/", If_Match='"other"')
    assert (failed.status, failed.body) == (412, PAGES["errors/404.html"])
    beyond = visit(server, site, "/nothing", Range="bytes=2-4")
    assert (beyond.status, beyond.body) == (404, PAGES["errors/404.html"])


def test_what_is_missing_is_the_error_page(server: Server, site: str) -> None:
    lost = visit(server, site, "/nothing")
    assert (lost.status, lost.body) == (404, PAGES["errors/404.html"])
    server.client().delete_object(Bucket=site, Key="errors/404.html")
    lost = visit(server, site, "/<nothing>")
    assert lost.status == 404
    assert lost.headers["content-type"].startswith("text/html")
    assert b"<li>Code: NoSuchKey</li>" in lost.body
    assert b"<li>Key: &lt;nothing&gt;</li>" in lost.body
    assert b"Custom Error Document" in lost.body
    assert lost.headers["x-amz-request-id"].encode() in lost.body


def test_an_object_may_send_visitors_elsewhere(server: Server, site: str) -> None:
    server.client().put_object(Bucket=site, Key="go", WebsiteRedirectLocation="https://x.example/")
    moved = visit(server, site, "/go")
    assert (moved.status, moved.headers["location"], moved.body) == (301, "https://x.example/", b"")


def test_what_is_not_public_is_not_shown(server: Server, site: str) -> None:
    publish(server, site, "s3:ListBucket")
    hidden = visit(server, site, "/")
    assert (hidden.status, b"home" in hidden.body) == (403, False)
    assert visit(server, site, "/docs").status != 302
    publish(server, site, "s3:GetObject")
    assert visit(server, site, "/nothing").status == 403
    assert visit(server, site, "/docs").status == 302


def test_a_bucket_that_is_no_website_says_so(server: Server, bucket: str) -> None:
    for name, path, code in (
        (bucket, "/", b"NoSuchWebsiteConfiguration"),
        ("no-such-bucket", "/k", b"NoSuchBucket"),
    ):
        answer = visit(server, name, path)
        assert answer.status == 404
        assert code in answer.body
    bare = send(server, "GET", "/", {"Host": "web.test"})
    assert (bare.status, bare.headers["content-type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_a_website_is_only_read(server: Server, site: str, method: str) -> None:
    answer = visit(server, site, "/index.html", method)
    assert (answer.status, b"MethodNotAllowed" in answer.body) == (405, True)
    assert visit(server, site, "/").status == 200


def test_everything_may_be_sent_elsewhere(server: Server, bucket: str) -> None:
    everything = {"RedirectAllRequestsTo": {"HostName": "x.example", "Protocol": "https"}}
    server.client().put_bucket_website(Bucket=bucket, WebsiteConfiguration=everything)
    moved = visit(server, bucket, "/a%20b/c")
    assert (moved.status, moved.headers["location"]) == (301, "https://x.example/a%20b/c")


def test_pages_of_other_origins_may_read_a_website_too(server: Server, site: str) -> None:
    rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["http://o.example"]}]
    server.client().put_bucket_cors(Bucket=site, CORSConfiguration={"CORSRules": rules})
    answer = visit(server, site, "/", Origin="http://o.example")
    assert answer.headers["access-control-allow-origin"] == "http://o.example"
    asked = {"Origin": "http://o.example", "Access_Control_Request_Method": "GET"}
    assert visit(server, site, "/", "OPTIONS", **asked).status == 200
