"""The endpoint when something behind it fails, and what it lets out of that."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree
from pydantic import SecretStr

from gateway.app import create
from gateway.credentials import Caller
from gateway.ec2 import registry
from gateway.ec2.ask import Ask
from gateway.ec2.endpoint import Ec2
from gateway.ec2.registry import Reply, operation
from gateway.native import Wire
from gateway.objects import Objects
from gateway.settings import Settings
from tests.gateway.sign.clients import KEY, SECRET, botocore_v2

DOWN = "http://127.0.0.1:9/client/api"


class Known:
    """A credential source that knows one user."""

    def find(self, access_key: str, *, fresh: bool = False) -> Caller | None:
        """The one user."""
        return Caller(KEY, SECRET, "u", "user", "a", "account", "d", True)


def no_s3(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """An S3 that refuses everything."""
    start_response("403 Forbidden", [])
    return []


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        native_url=DOWN,
        native_timeout_seconds=1,
        service_secret=SecretStr("service"),
        storage_root=tmp_path,
    )


@pytest.fixture
def client(settings: Settings) -> FlaskClient:
    from flask import request

    app = Flask("test")
    ec2 = Ec2(settings, Known(), Wire.to(DOWN, 1, 1), Objects(no_s3, DOWN, "us-east-1"))
    app.before_request(lambda: ec2(request))
    return app.test_client()


@pytest.fixture
def broken() -> Iterator[None]:
    """An operation with a bug."""

    @operation("DescribeVpcs")
    def describe_vpcs(ask: Ask) -> Reply:
        raise RuntimeError("the secret path")

    yield
    del registry.OPERATIONS["DescribeVpcs"]


def post(client: FlaskClient, action: str) -> tuple[int, str, str]:
    _, params = botocore_v2(
        {"Action": action, "Version": "2016-11-15"}, url="http://localhost/awsapi"
    )
    answer = client.post("/awsapi", data=dict(params))
    root = etree.fromstring(answer.data)
    return answer.status_code, str(root.findtext("Errors/Error/Code")), answer.text


@pytest.mark.usefixtures("broken")
def test_a_bug_is_logged_with_the_request_id_and_not_told(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    status, code, text = post(client, "DescribeVpcs")
    assert (status, code) == (500, "InternalError")
    assert "secret" not in text
    request_id = etree.fromstring(text.encode()).findtext("RequestID")
    assert f"{request_id} DescribeVpcs failed" in caplog.text
    assert "the secret path" in caplog.text


def test_a_native_api_that_is_down_is_unavailable(client: FlaskClient) -> None:
    assert post(client, "DescribeVolumes")[:2] == (503, "Unavailable")


def test_nobody_is_let_in_while_secrets_cannot_be_looked_up(settings: Settings) -> None:
    assert post(create(settings).test_client(), "DescribeRegions")[:2] == (503, "Unavailable")


def test_every_request_is_logged_without_its_secrets(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        post(client, "DescribeRegions")
        post(client, "Nonsense\n<x>")
    assert "DescribeRegions account 200" in caplog.text
    assert "Nonsense" not in caplog.text
    assert SECRET not in caplog.text
    assert "Signature" not in caplog.text
