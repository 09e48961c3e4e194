"""What clients need to find a cloud: shell exports, and an AWS profile."""

import shlex

from tools.home import Config, Home

REGION = "us-east-1"


def variables(home: Home, config: Config) -> dict[str, str]:
    """The environment in which AWS's tools and the ``cs`` client speak to this cloud."""
    admin = home.key("admin")
    return {
        "AWS_ENDPOINT_URL": config.aws_url,
        "AWS_ACCESS_KEY_ID": admin.access,
        "AWS_SECRET_ACCESS_KEY": admin.secret,
        "AWS_DEFAULT_REGION": REGION,
        "CLOUDSTACK_ENDPOINT": config.native_url,
        "CLOUDSTACK_KEY": admin.access,
        "CLOUDSTACK_SECRET": admin.secret,
    }


def exports(home: Home, config: Config) -> str:
    """The variables as lines for ``eval`` in a shell."""
    return "\n".join(
        f"export {name}={shlex.quote(value)}" for name, value in variables(home, config).items()
    )


def aws_profile(home: Home, config: Config, name: str) -> str:
    """A section for ``~/.aws/config`` that needs nothing else."""
    admin = home.key("admin")
    return "\n".join(
        (
            f"[profile {name}]",
            f"region = {REGION}",
            f"endpoint_url = {config.aws_url}",
            f"aws_access_key_id = {admin.access}",
            f"aws_secret_access_key = {admin.secret}",
        )
    )
