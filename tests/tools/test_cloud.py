"""A whole cloud with simulated guests, driven by the command line as its users drive it."""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.tools.commands import PILEUS, alive, clean_environment, eventually, free_ports, pileus
from tools import aws
from tools.cloud import processes
from tools.home import Config, Home
from tools.native import as_admin

# How long `up` may take on two cores that other tests use as well; alone it takes a third of it.
READY_SECONDS = 120.0
CLIENT_VARIABLES = {
    "AWS_ENDPOINT_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_DEFAULT_REGION",
    "CLOUDSTACK_ENDPOINT",
    "CLOUDSTACK_KEY",
    "CLOUDSTACK_SECRET",
}


@dataclass(frozen=True)
class Cloud:
    """A running cloud: its home, what it was told to be, and what ``up`` printed."""

    home: Home
    config: Config
    said: str
    seconds: float

    def ec2(self) -> Any:
        return aws.client("ec2", self.home, self.config)

    def run(self) -> str:
        """Run an instance; its id."""
        ec2 = self.ec2()
        image = ec2.describe_images()["Images"][0]["ImageId"]
        reply = ec2.run_instances(ImageId=image, InstanceType="t2.nano", MinCount=1, MaxCount=1)
        return str(reply["Instances"][0]["InstanceId"])


def start(folder: Path) -> Cloud:
    native, aws_port = free_ports(2)
    began = time.monotonic()
    done = pileus(
        *("up", "--home", folder, "--hypervisor", "memory", "--detach"),
        *("--native-port", native, "--aws-port", aws_port),
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    config = Config("memory", native, aws_port)
    return Cloud(Home(folder), config, done.stdout, time.monotonic() - began)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    made = start(tmp_path_factory.mktemp("clouds") / "first")
    yield made
    assert pileus("down", "--home", made.home.path).returncode == 0


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Cloud]:
    made = start(tmp_path / "other")
    yield made
    pileus("down", "--home", made.home.path)


def environment(cloud: Cloud) -> dict[str, str]:
    """What ``pileus env`` exports, as a shell reads it."""
    done = pileus("env", "--home", cloud.home.path)
    words = [shlex.split(line) for line in done.stdout.splitlines()]
    assert all(word[0] == "export" and len(word) == 2 for word in words)
    return dict(word[1].split("=", 1) for word in words)


def test_up_tells_each_step_and_how_long_it_took(cloud: Cloud) -> None:
    assert "Database and first accounts" in cloud.said
    assert cloud.said.count(" s) ok") >= 5
    assert "Ready after" in cloud.said


def test_a_cloud_is_ready_within_seconds(cloud: Cloud) -> None:
    assert cloud.seconds < READY_SECONDS


def test_the_admin_password_is_shown_once(cloud: Cloud) -> None:
    assert "Native login: admin, password" in cloud.said
    again = pileus("up", "--home", cloud.home.path, "--detach")
    assert "password" not in again.stdout


def test_secrets_are_readable_by_their_owner_alone(cloud: Cloud) -> None:
    modes = {file.name: file.stat().st_mode & 0o777 for file in (cloud.home / "keys").iterdir()}
    assert {"admin.json", "service.json", "secrets.key"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_env_exports_what_clients_read_and_nothing_else(cloud: Cloud) -> None:
    told = environment(cloud)
    assert set(told) == CLIENT_VARIABLES
    assert told["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{cloud.config.aws_port}/"


def test_boto3_finds_both_services_by_the_environment_alone(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(cloud).items():
        monkeypatch.setenv(name, value)
    session = boto3.session.Session()
    zones = session.client("ec2").describe_availability_zones()["AvailabilityZones"]
    assert [zone["ZoneName"] for zone in zones] == ["us-east-1a"]
    assert "Buckets" in session.client("s3").list_buckets()


def test_the_cs_client_finds_the_cloud_by_the_environment_alone(cloud: Cloud) -> None:
    done = subprocess.run(
        (PILEUS.with_name("cs"), "listZones"),
        env=clean_environment() | environment(cloud),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "us-east-1a" in done.stdout


def test_an_aws_profile_needs_nothing_else(cloud: Cloud, tmp_path: Path) -> None:
    done = pileus("env", "--home", cloud.home.path, "--format", "aws-profile", "--name", "mine")
    file = tmp_path / "config"
    file.write_text(done.stdout)
    listed = subprocess.run(
        (PILEUS.with_name("aws"), "--profile", "mine", "ec2", "describe-regions"),
        env=clean_environment() | {"AWS_CONFIG_FILE": str(file)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "us-east-1" in listed.stdout


def test_an_instance_runs(cloud: Cloud) -> None:
    instance = cloud.run()
    waiter = cloud.ec2().get_waiter("instance_running")
    waiter.wait(InstanceIds=[instance], WaiterConfig={"Delay": 1, "MaxAttempts": 20})


def test_status_shows_every_process_and_is_content(cloud: Cloud) -> None:
    done = pileus("status", "--home", cloud.home.path)
    assert done.returncode == 0, done.stdout
    for name in ("supervisor", "orchestrator", "native", "gateway", "instances:"):
        assert name in done.stdout
    assert str(cloud.config.aws_port) in done.stdout


def test_up_on_a_running_cloud_says_so_and_changes_nothing(cloud: Cloud) -> None:
    before = [process.pid for process in processes(cloud.home)]
    done = pileus("up", "--home", cloud.home.path)
    assert done.returncode == 0, done.stderr
    assert "runs already" in done.stdout
    assert [process.pid for process in processes(cloud.home)] == before
    native = as_admin(cloud.home, cloud.config)
    for listing in ("listZones", "listPods", "listClusters", "listNetworks", "listImageStores"):
        assert len(native.rows(listing)) == 1
    names = [row["name"] for row in native.rows("listServiceOfferings")]
    assert len(names) == len(set(names))


def test_up_makes_what_is_missing_again(cloud: Cloud) -> None:
    native = as_admin(cloud.home, cloud.config)
    rows = native.rows("listServiceOfferings", name="m1.large")
    native.call("deleteServiceOffering", id=rows[0]["id"])
    assert pileus("up", "--home", cloud.home.path).returncode == 0
    assert native.rows("listServiceOfferings", name="m1.large")


def test_up_switches_both_faces_of_a_new_cloud_on_and_says_so(cloud: Cloud) -> None:
    for name in ("enable.ec2.api", "enable.s3.api"):
        assert f"{name} is true" in cloud.said


def test_a_face_that_was_switched_off_stays_off_and_status_says_so(other: Cloud) -> None:
    native = as_admin(other.home, other.config)
    native.call("updateConfiguration", name="enable.s3.api", value="false")
    again = pileus("up", "--home", other.home.path)
    assert again.returncode == 0, again.stderr
    assert "enable.s3.api is false, as before" in again.stdout
    told = pileus("status", "--home", other.home.path)
    assert told.returncode == 0
    assert "S3 is switched off" in told.stdout


def test_up_with_other_ports_on_a_running_cloud_is_refused(cloud: Cloud) -> None:
    done = pileus("up", "--home", cloud.home.path, "--aws-port", free_ports(1)[0])
    assert done.returncode == 2
    assert "pileus down" in done.stderr


def test_ssh_into_a_simulated_guest_is_refused(cloud: Cloud) -> None:
    done = pileus("ssh", cloud.run(), "--home", cloud.home.path)
    assert done.returncode == 2
    assert "simulated" in done.stderr


def test_ssh_into_an_instance_that_is_not_there_is_refused(cloud: Cloud) -> None:
    done = pileus("ssh", "i-00000000000000000", "--home", cloud.home.path)
    assert done.returncode == 2
    assert "There is no instance" in done.stderr


def test_jobs_are_listed_with_their_steps(cloud: Cloud) -> None:
    listed = pileus("jobs", "list", "--all", "--home", cloud.home.path)
    job = listed.stdout.split()[0]
    shown = pileus("jobs", "show", job, "--home", cloud.home.path)
    assert shown.returncode == 0, shown.stderr
    assert "step " in shown.stdout


def test_a_job_that_is_not_stuck_cannot_be_resumed(cloud: Cloud) -> None:
    job = pileus("jobs", "list", "--all", "--home", cloud.home.path).stdout.split()[0]
    done = pileus("jobs", "resume", job, "--home", cloud.home.path)
    assert done.returncode == 2
    assert "not stuck" in done.stderr


@pytest.mark.parametrize("name", ["orchestrator", "native", "gateway"])
def test_a_killed_process_is_replaced_and_the_cloud_is_well_again(cloud: Cloud, name: str) -> None:
    [killed] = [process.pid for process in processes(cloud.home) if process.name == name]
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: not alive(killed))

    def replaced() -> bool:
        pids = [process.pid for process in processes(cloud.home) if process.name == name]
        well = pileus("status", "--home", cloud.home.path).returncode == 0
        return pids not in ([killed], [None]) and well

    assert eventually(replaced)


def test_two_clouds_stand_side_by_side(cloud: Cloud, other: Cloud) -> None:
    mine = cloud.run()
    assert pileus("status", "--home", other.home.path).returncode == 0
    described = other.ec2().describe_instances()["Reservations"]
    assert mine not in str(described)
    assert environment(cloud)["AWS_ACCESS_KEY_ID"] != environment(other)["AWS_ACCESS_KEY_ID"]


def test_down_stops_everything_and_up_finds_it_all_again(other: Cloud) -> None:
    instance = other.run()
    pids = [process.pid for process in processes(other.home)]
    assert pileus("down", "--home", other.home.path).returncode == 0
    assert not any(alive(pid) for pid in pids if pid)
    assert pileus("status", "--home", other.home.path).returncode == 1
    assert pileus("up", "--home", other.home.path, "--detach").returncode == 0
    found = other.ec2().describe_instances(InstanceIds=[instance])["Reservations"]
    assert len(found) == 1


def test_a_killed_supervisor_is_made_good_by_up(other: Cloud) -> None:
    supervisor = other.home.supervisor()
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    assert eventually(lambda: other.home.supervisor() is None)
    assert pileus("status", "--home", other.home.path).returncode == 1
    assert eventually(lambda: pileus("up", "--home", other.home.path, "--detach").returncode == 0)
    assert pileus("status", "--home", other.home.path).returncode == 0


def test_down_destroys_the_home_only_when_told_twice(other: Cloud) -> None:
    asked = pileus("down", "--destroy", "--home", other.home.path)
    assert asked.returncode == 1
    assert other.home.path.exists()
    assert pileus("down", "--destroy", "--yes", "--home", other.home.path).returncode == 0
    assert not other.home.path.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cloud_in_the_foreground_stops_on_a_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    native, aws_port = free_ports(2)
    home = Home(tmp_path / "home")
    command = (
        *("env", "--default-signal=INT"),  # a shell's background jobs are started deaf to it
        *(PILEUS, "up", "--home", home.path, "--hypervisor", "memory"),
        *("--native-port", str(native), "--aws-port", str(aws_port)),
    )
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=clean_environment(), start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert any("Ctrl-C stops it" in line for line in process.stdout)
        pids = [found.pid for found in processes(home)]
        process.send_signal(number)
        try:
            assert process.wait(40) == 0
        finally:
            process.terminate()
    assert len(pids) == 4
    assert not any(alive(pid) for pid in pids if pid)
