"""``pileus up``: from whatever is there to a cloud that answers, in steps that may be repeated.

Order: the home is settled, the preconditions are looked at, the database is made or migrated, the
supervisor starts every process at once, each port is asked for a signed answer, and the zone is
made by public commands. When any of it fails, what this command started is stopped again.
"""

import signal
from collections.abc import Callable
from subprocess import Popen
from types import FrameType

import click

from tools import cloud
from tools.doctor import Finding, host_findings, port_free
from tools.home import Config, Home, Key
from tools.progress import Progress
from tools.refusal import Refusal


def up(home: Home, wanted: Config, *, detached: bool, progress: Progress) -> Popen[bytes] | None:
    """Have the cloud run and answer.

    Returns:
        The supervisor that this call has started; None when the cloud was running already.

    Raises:
        Refusal: something stands in the way.
    """
    home.prepare()
    with home.exclusively():
        if home.supervisor() is not None:
            _same(home, wanted)
            click.echo(f"The cloud in {home.path} runs already; adding what is missing.")
            _complete(home, wanted, None, progress)
            return None
        _check(home, wanted)
        home.save(wanted)
        with progress.step("Database and first accounts"):
            _install(home, wanted)
        supervisor = cloud.launch(home, detached=detached)
        try:
            _complete(home, wanted, supervisor, progress)
        except BaseException:
            cloud.stop(home, wanted, progress)
            raise
        return supervisor


def stay(home: Home, wanted: Config, progress: Progress, tell: Callable[[], None]) -> int:
    """Have the cloud run, ``tell`` that it does, and stop it when interrupted; the exit code.

    An interrupt may come at any instant. A cloud that ran before is told of and left alone.
    """
    supervisor = None
    try:
        supervisor = up(home, wanted, detached=False, progress=progress)
        tell()
        if supervisor is None:
            return 0
        click.echo("Ctrl-C stops it.")
        code = supervisor.wait()
        click.echo("The supervisor ended.")
    except KeyboardInterrupt:
        if supervisor is None:
            click.echo("Stopped before the cloud was ready.")
            return 130
        code = 0
    with home.exclusively():
        cloud.stop(home, wanted, progress)
    return 0 if code == 0 else 1


def interrupt_on_signals() -> None:
    """Let SIGTERM and SIGHUP stop this command as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)


def _same(home: Home, wanted: Config) -> None:
    there = home.expect()
    if there != wanted:
        raise Refusal(
            f"The cloud in {home.path} runs with native port {there.native_port} and AWS port "
            f"{there.aws_port}, not {wanted.native_port} and {wanted.aws_port}.",
            f"stop it first: pileus down --home {home.path}",
        )


def _check(home: Home, wanted: Config) -> None:
    """Refuse at the first precondition that does not hold."""
    if wanted.native_port == wanted.aws_port:
        raise Refusal("The native API and AWS cannot share a port.", "give each its own")
    for port in (wanted.native_port, wanted.aws_port):
        _insist(port_free(port))
    if wanted.hypervisor == "libvirt":
        for finding in host_findings():
            _insist(finding)


def _insist(finding: Finding) -> None:
    if finding.holds:
        return
    raise Refusal(f"{finding.name}: {finding.seen}.", finding.remedy)


def _install(home: Home, config: Config) -> None:
    from orchestrator.install import install

    installed = install(cloud.settings(home, config), endpoint=config.native_url)
    home.save_key("admin", Key(installed.admin_key, installed.admin_secret))
    home.save_key("service", Key(installed.service_key, installed.service_secret))
    if installed.admin_password:
        home.write("keys/admin.password", installed.admin_password + "\n")
        click.echo(f"Native login: admin, password {installed.admin_password} (shown once)")


def _complete(
    home: Home, config: Config, supervisor: Popen[bytes] | None, progress: Progress
) -> None:
    """Wait until the ports answer, then make what is missing of the zone."""
    from botocore.exceptions import BotoCoreError, ClientError

    from gateway.native import NativeFault
    from tools.native import as_admin
    from tools.provision import provision, switch_on
    from tools.ready import await_ready, face_probes, native_probe
    from tools.template import ensure_template

    with progress.step(f"Native API on {config.native_port}"):
        await_ready(home, native_probe(home, config), supervisor)
    native = as_admin(home, config)
    try:
        with progress.step(f"EC2 and S3 on {config.aws_port}"):
            switch_on(native, progress)
            await_ready(home, face_probes(home, config), supervisor)
        place = provision(home, config, native, progress)
        ensure_template(home, config, native, place.zone, progress)
    except (NativeFault, BotoCoreError, ClientError) as error:
        raise Refusal(
            f"The zone could not be completed: {error}", f"see {home / 'logs'}, then run up again"
        ) from None
