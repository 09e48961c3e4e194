"""The documents that the metadata service reads."""

import json
import os
from dataclasses import replace
from pathlib import Path

from orchestrator.driver.linux import documents
from orchestrator.ids import ec2_id
from tests.orchestrator.driver.linux.test_dhcp import GUEST, ROUTER


def test_a_document_spells_ids_as_ec2_does() -> None:
    document = json.loads(documents.document(GUEST, ROUTER))
    assert document["instance_id"] == ec2_id("i", GUEST.instance)
    assert document["image_id"] == ec2_id("ami", GUEST.image)
    foreign = json.loads(documents.document(replace(GUEST, instance="i-7"), ROUTER))
    assert foreign["instance_id"] == "i-7"


def test_the_region_is_the_zone_without_its_letter() -> None:
    for zone, region in (("us-east-1a", "us-east-1"), ("zone", "zone"), ("z1", "z1")):
        document = json.loads(documents.document(replace(GUEST, zone=zone), ROUTER))
        assert document["region"] == region


def test_there_is_one_file_per_guest_and_the_unchanged_ones_are_not_written(
    tmp_path: Path,
) -> None:
    other = replace(GUEST, ip=GUEST.ip + 1)
    documents.ensure(tmp_path, replace(ROUTER, guests=(GUEST, other)), os.getuid())
    first = (tmp_path / f"{GUEST.ip}.json").stat()
    changed = replace(GUEST, reservation="r-2", ip=GUEST.ip + 2)
    documents.ensure(tmp_path, replace(ROUTER, guests=(GUEST, changed)), os.getuid())
    assert {path.name for path in tmp_path.iterdir()} == {f"{GUEST.ip}.json", f"{changed.ip}.json"}
    again = (tmp_path / f"{GUEST.ip}.json").stat()
    assert (again.st_ino, again.st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    assert first.st_mode & 0o777 == 0o400
