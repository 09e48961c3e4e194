"""A whole cloud in one process: both faces on loopback ports, simulated hosts, real clients.

Everything between a client's socket and the drivers is the real thing; the hosts are the memory
driver. Jobs run on background threads, as they do in the orchestrator's own process.
"""

import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from cs import CloudStack
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import func, select
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

import gateway.app
import gateway.settings
import nativeapi.app
from orchestrator.driver.memory.fleet import MemoryFleet, memory_fleet
from orchestrator.driver.memory.world import World as Hosts
from orchestrator.engine.pool import Pool
from orchestrator.engine.runner import Runner
from orchestrator.install import Installed, install
from orchestrator.reconcile.loop import Loop
from orchestrator.schema.jobs import Job, JobState
from orchestrator.schema.session import Sessions
from orchestrator.settings import Settings
from tests.audit import audit

REGION = "us-east-1"
_SWITCH_SECONDS = 0.02
_ENDED = (JobState.DONE, JobState.FAILED, JobState.STUCK)


class _Quiet(WSGIRequestHandler):
    """A handler that logs nothing and keeps connections open, as gunicorn does."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


def listening() -> socket.socket:
    """A free loopback port, for an application that has to know where it will be."""
    return socket.create_server(("127.0.0.1", 0))


def serve(app: Flask, at: socket.socket | None = None) -> BaseWSGIServer:
    """Serve an application on a loopback port (a free one if none is given) until told to stop."""
    port = at or listening()
    host, number = port.getsockname()
    server = make_server(host, number, app, threaded=True, request_handler=_Quiet, fd=port.detach())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@dataclass(frozen=True)
class Keys:
    """A user's key pair for the APIs."""

    access: str
    secret: str


class World:
    """The cloud; ``admin`` are the keys of its first administrator, ``service`` the gateway's."""

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self.settings = Settings(home=folder, hypervisor="memory")
        installed = install(self.settings)
        self.admin = Keys(installed.admin_key, installed.admin_secret)
        self.service = Keys(installed.service_key, installed.service_secret)
        self.sessions = Sessions(self.settings.url)
        self.hosts = Hosts()
        self.fleet: MemoryFleet = memory_fleet(self.hosts)
        self.native_server = serve(nativeapi.app.create(self.settings))
        self.native_url = f"http://127.0.0.1:{self.native_server.port}/client/api"
        port = listening()
        self.aws_url = f"http://127.0.0.1:{port.getsockname()[1]}"
        self.gateway_server = serve(gateway.app.create(self._gateway(installed, folder)), port)
        self.pool = Pool(Runner(self.sessions, self.fleet), "world", workers, 0.01)
        self.pool.start()

    def _gateway(self, installed: Installed, folder: Path) -> gateway.settings.Settings:
        return gateway.settings.Settings(
            native_url=self.native_url,
            service_key=installed.service_key,
            service_secret=SecretStr(installed.service_secret),
            storage_root=folder / "objects",
            region=REGION,
            s3_url=self.aws_url,
            switch_cache_seconds=_SWITCH_SECONDS,
        )

    def native(self, keys: Keys | None = None, **options: Any) -> CloudStack:
        """A ``cs`` client."""
        user = keys or self.admin
        settings = {"poll_interval": 0.02, "trace": False, **options}
        return CloudStack(self.native_url, user.access, user.secret, **settings)

    def aws(self, service: str, keys: Keys | None = None, **config: Any) -> Any:
        """A boto3 client: ``ec2`` or ``s3``."""
        user = keys or self.admin
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.aws_url,
            region_name=REGION,
            aws_access_key_id=user.access,
            aws_secret_access_key=user.secret,
            config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, **config),
        )

    def account(self, name: str, type: int = 0) -> Keys:
        """A new account with one user; its keys."""
        made = self.native().createAccount(
            accounttype=type,
            username=name,
            password="secret",
            firstname=name,
            lastname=name,
            email=f"{name}@example.com",
        )
        keys = self.native().registerUserKeys(id=made["account"]["user"][0]["id"])["userkeys"]
        return Keys(keys["apikey"], keys["secretkey"])

    def settle(self, patience: float = 20.0) -> None:
        """Wait until no job is unfinished."""
        until = time.monotonic() + patience
        while self._unfinished():
            if time.monotonic() > until:
                raise TimeoutError("jobs are still unfinished")
            time.sleep(0.01)

    def switches_known(self) -> None:
        """Wait for as long as the gateway may remember a switch that was turned."""
        time.sleep(2 * _SWITCH_SECONDS)

    def reconcile(self) -> None:
        """One pass of the reconciler, and the jobs it starts."""
        Loop(self.sessions, self.fleet, 1).once()
        self.settle()

    def audit(self) -> list[str]:
        """What leaked or is stuck."""
        self.settle()
        return audit(self.sessions, self.fleet)

    def close(self) -> None:
        """Stop everything."""
        self.gateway_server.shutdown()
        self.native_server.shutdown()
        self.pool.stop()
        self.sessions.close()
        self.hosts.close()

    def _unfinished(self) -> int:
        with self.sessions.read() as db:
            live = select(func.count()).select_from(Job).where(Job.state.not_in(_ENDED))
            return db.scalar(live) or 0


def provision(world: World) -> None:
    """Set the zone up with the public commands, as ``pileus up`` does."""
    native = world.native()
    zone = native.createZone(
        name=f"{REGION}a",
        networktype="Basic",
        securitygroupenabled=True,
        dns1="10.46.0.1",
        internaldns1="10.46.0.1",
    )["zone"]["id"]
    pod = native.createPod(
        name="pod",
        zoneid=zone,
        gateway="10.45.0.1",
        netmask="255.255.255.0",
        startip="10.45.0.10",
        endip="10.45.0.20",
    )["pod"]["id"]
    cluster = native.addCluster(
        clustername="cluster",
        clustertype="CloudManaged",
        hypervisor="KVM",
        podid=pod,
        zoneid=zone,
    )["cluster"][0]["id"]
    for number in range(2):
        native.addHost(
            clusterid=cluster,
            podid=pod,
            zoneid=zone,
            hypervisor="KVM",
            url=f"http://host{number}",
            username="root",
            password="unused",
        )
    network = native.createNetwork(
        name="guests",
        displaytext="guests",
        zoneid=zone,
        networkofferingid=native.listNetworkOfferings()["networkoffering"][0]["id"],
    )["network"]["id"]
    native.createVlanIpRange(
        zoneid=zone,
        podid=pod,
        networkid=network,
        gateway="10.46.0.1",
        netmask="255.255.0.0",
        startip="10.46.0.10",
        endip="10.46.255.250",
        forvirtualnetwork=False,
    )
    world.settle()
    native.createStoragePool(
        name="primary",
        clusterid=cluster,
        podid=pod,
        zoneid=zone,
        url="SharedMountPoint://localhost/primary",
    )
    native.addImageStore(name="images", provider="NFS", zoneid=zone, url="file:///images")
    _offer(native)
    for name in ("enable.ec2.api", "enable.s3.api"):
        native.updateConfiguration(name=name, value="true")
    world.settle()
    native.registerTemplate(
        name="tiny",
        displaytext="tiny",
        format="QCOW2",
        hypervisor="KVM",
        ostypeid=native.listOsTypes()["ostype"][0]["id"],
        url="http://images.example/tiny.qcow2",
        zoneid=zone,
        ispublic=True,
        isfeatured=True,
    )
    world.settle()


def _offer(native: CloudStack) -> None:
    for name, memory in (("m1.tiny", 128), ("m1.small", 512), ("m1.huge", 1024 * 1024)):
        native.createServiceOffering(
            name=name, displaytext=name, cpunumber=1, cpuspeed=500, memory=memory
        )
    for name in ("gp2", "standard"):
        native.createDiskOffering(name=name, displaytext=name, customized=True)
