"""Where disks and images lie in a pool. Hypervisor and storage meet here."""

from pathlib import Path

from orchestrator.driver.linux import names
from orchestrator.driver.ports import Pool

DISKS = "disks"
IMAGES = "images"
SCRATCH = "tmp"


def disk_path(pool: Pool, volume_id: str) -> Path:
    """The file of a volume."""
    return Path(pool.path) / DISKS / f"{names.ident(volume_id)}.qcow2"


def image_path(pool: Pool, image_id: str) -> Path:
    """The file of an image."""
    return Path(pool.path) / IMAGES / f"{names.ident(image_id)}.qcow2"


def scratch_path(pool: Pool, ident: str, kind: str) -> Path:
    """Where something for this id is made before it is whole, or its lock file."""
    return Path(pool.path) / SCRATCH / f"{names.ident(ident)}.{kind}"


def volume_of(path: str) -> str | None:
    """The volume whose file this is; None for a file that is not named by an id."""
    stem = Path(path).name.removesuffix(".qcow2")
    try:
        return names.ident(stem)
    except ValueError:
        return None
