"""The first template: an image in the cloud's own object store, fetched like any other.

With simulated guests there is no file: the URL is nominal, the simulated storage fetches nothing.
"""

import time

from botocore.exceptions import ClientError

from tools import aws
from tools.guest_build import BuildError
from tools.home import Config, Home
from tools.image import cache_folder, ensure_image
from tools.native import Native, Row
from tools.progress import Progress
from tools.refusal import Refusal

NAME = "tiny"
BUCKET = "pileus-templates"
FETCH_SECONDS = 180.0
_NOMINAL_URL = "http://127.0.0.1/simulated/tiny.qcow2"


def ensure_template(
    home: Home, config: Config, native: Native, zone: str, progress: Progress
) -> str:
    """Have the template ``tiny`` ready in the zone; its native id.

    Raises:
        NativeFault: a command was refused.
        Refusal: the image could not be fetched.
    """
    known = _find(native, zone)
    if known is not None and _failed(known):
        native.done("deleteTemplate", id=known["id"], zoneid=zone)
        known = None
    if known is None:
        with progress.step("Guest image"):
            url = (
                _NOMINAL_URL if config.hypervisor == "memory" else _publish(home, config, progress)
            )
        _register(native, zone, url)
    with progress.step("Template is ready"):
        return _await(native, zone)


def _publish(home: Home, config: Config, progress: Progress) -> str:
    """Build the image if need be, put it into the object store, and sign a URL for an hour."""
    try:
        image = ensure_image(NAME, cache_folder(), progress.note)
    except BuildError as error:
        raise Refusal(f"The guest image cannot be built: {error}.") from None
    s3 = aws.client("s3", home, config)
    key = f"{NAME}.qcow2"
    try:
        s3.head_bucket(Bucket=BUCKET)
    except ClientError:
        s3.create_bucket(Bucket=BUCKET)
    with open(image, "rb") as body:
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    told = {"Bucket": BUCKET, "Key": key}
    return str(s3.generate_presigned_url("get_object", Params=told, ExpiresIn=3600))


def _register(native: Native, zone: str, url: str) -> None:
    os_types = native.rows("listOsTypes")
    debian = [row for row in os_types if "Debian" in row["description"]]
    if not (debian or os_types):
        raise Refusal("The cloud has no guest operating system types.")
    native.call(
        "registerTemplate",
        name=NAME,
        displaytext="Tiny Linux made from Debian packages",
        url=url,
        format="QCOW2",
        hypervisor="KVM",
        ostypeid=(debian or os_types)[-1]["id"],
        zoneid=zone,
        ispublic=True,
        isfeatured=True,
    )


def _await(native: Native, zone: str) -> str:
    deadline = time.monotonic() + FETCH_SECONDS
    while True:
        row = _find(native, zone)
        if row is not None and row.get("isready"):
            return str(row["id"])
        status = row.get("status", "unknown") if row else "gone"
        if row is None or _failed(row) or time.monotonic() > deadline:
            raise Refusal(
                f"The template {NAME} is not ready: {status}.",
                "see orchestrator.log in the home's logs, then run up again",
            )
        time.sleep(0.05)


def _find(native: Native, zone: str) -> Row | None:
    rows = native.rows("listTemplates", templatefilter="all", name=NAME, zoneid=zone)
    return next((row for row in rows if row["name"] == NAME), None)


def _failed(row: Row) -> bool:
    """Whether fetching has ended without success: anything but ready and under way."""
    status = str(row.get("status", "")).lower()
    return not row.get("isready") and any(word in status for word in ("error", "fail", "refused"))
