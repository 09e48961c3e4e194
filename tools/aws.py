"""The AWS port for tools: plain boto3 clients of one home's cloud, as its administrator."""

from typing import Any, Literal

import boto3
from botocore.config import Config as BotoConfig

from tools.environment import REGION
from tools.home import Config, Home

_CONFIG = BotoConfig(
    connect_timeout=5,
    read_timeout=60,
    retries={"total_max_attempts": 1},
)


def client(service: Literal["ec2", "s3"], home: Home, config: Config) -> Any:
    """A boto3 client of ``ec2`` or ``s3``; boto3 makes its methods at run time, hence ``Any``."""
    admin = home.key("admin")
    return boto3.session.Session().client(
        service,
        endpoint_url=config.aws_url,
        region_name=REGION,
        aws_access_key_id=admin.access,
        aws_secret_access_key=admin.secret,
        config=_CONFIG.merge(BotoConfig(signature_version="s3v4" if service == "s3" else "v4")),
    )
