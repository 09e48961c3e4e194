"""The probe guest."""

import subprocess
from pathlib import Path

import pytest

from orchestrator.driver.libvirt import probe


def test_the_boot_sector_is_what_its_source_says(tmp_path: Path) -> None:
    source = Path(probe.__file__).with_name("probe.S")
    subprocess.run(["as", "--64", str(source), "-o", "probe.o"], cwd=tmp_path, check=True)
    link = ["ld", "-e", "0x7c00", "-Ttext", "0x7c00", "--oformat", "binary"]
    subprocess.run([*link, "probe.o", "-o", "probe.bin"], cwd=tmp_path, check=True)
    assert (tmp_path / "probe.bin").read_bytes() == probe.boot_sector()


def test_emulation_always_works() -> None:
    assert probe.works("tcg")


def test_a_setting_spares_the_probe() -> None:
    assert probe.Accelerator("kvm").choose() == "kvm"
    assert probe.Accelerator("qemu").choose() == "qemu"


def test_the_probe_decides_once() -> None:
    accelerator = probe.Accelerator("auto")
    assert accelerator.choose() in ("kvm", "qemu")
    assert accelerator.choose() == accelerator.choose()


def test_an_unknown_machine_type_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no machine type"):
        probe.Accelerator("xen")
