"""The ``pileus`` command."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tools import cloud
from tools import environment as env_
from tools.home import DEFAULT_HOME, Config, Home
from tools.image import image
from tools.options import HOME as _HOME
from tools.progress import Progress
from tools.refusal import Refusal
from tools.s3 import s3

if TYPE_CHECKING:
    from orchestrator.settings import Settings

_HYPERVISOR = click.option(
    "--hypervisor",
    type=click.Choice(["libvirt", "memory"]),
    help="libvirt runs real guests and needs root; memory simulates them and needs nothing. "
    "[default: as before, or libvirt]",
)
_PORT = click.IntRange(1, 65535)


def _ports(command: Callable[..., None]) -> Callable[..., None]:
    aws = click.option(
        "--aws-port", type=_PORT, help="Port of EC2 and S3. [default: as before, or 7080]"
    )
    native = click.option(
        "--native-port", type=_PORT, help="Port of the native API. [default: as before, or 8080]"
    )
    return native(aws(command))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pileus")
def main() -> None:
    """A private cloud behind the EC2, S3 and CloudStack APIs, on this machine.

    \b
    pileus up            start it; Ctrl-C stops it (--detach: leave it running)
    eval "$(pileus env)" let aws, boto3 and cs find it
    pileus down          stop it; its state stays
    """


@main.command()
@_HOME
@_HYPERVISOR
@_ports
@click.option(
    "--detach", is_flag=True, help="Return when the cloud is ready, and leave it running."
)
def up(
    folder: Path,
    hypervisor: str | None,
    native_port: int | None,
    aws_port: int | None,
    detach: bool,
) -> None:
    """Start the cloud, or complete one that is already there.

    May be run again at any time: it goes on where the last run ended. Says that the cloud is ready
    only when a signed call on each port has worked. A process that dies is started again.
    """
    from tools import up as ups

    home, progress = Home(folder), Progress()
    config = _wanted(home.config(), hypervisor, native_port, aws_port)
    ups.interrupt_on_signals()

    def tell() -> None:
        click.echo(_welcome(home, config, progress))

    if detach:
        ups.up(home, config, detached=True, progress=progress)
        tell()
    else:
        sys.exit(ups.stay(home, config, progress, tell))


@main.command()
@_HOME
@click.option(
    "--destroy", is_flag=True, help="Also remove the home: instances, disks, objects, keys."
)
@click.option("--yes", is_flag=True, help="Do not ask before destroying.")
def down(folder: Path, destroy: bool, yes: bool) -> None:
    """Stop processes, guests and namespaces of the cloud. Its state stays, unless --destroy."""
    home = Home(folder)
    config = home.expect()
    if destroy and not yes:
        click.confirm(f"Remove {home.path} with everything in it?", abort=True)
    with home.exclusively():
        cloud.stop(home, config, Progress())
        if destroy:
            home.remove()
    click.echo(f"The cloud in {home.path} is {'gone' if destroy else 'stopped'}.")


@main.command()
@_HOME
def status(folder: Path) -> None:
    """Show the cloud's processes, ports, health and guests. Exits 0 only if all is well."""
    from tools.status import report

    home = Home(folder)
    lines, healthy = report(home, home.expect(), time.time())
    click.echo("\n".join(lines))
    sys.exit(0 if healthy else 1)


@main.command()
@_HOME
@click.option(
    "--format",
    "form",
    type=click.Choice(["shell", "aws-profile"]),
    default="shell",
    show_default=True,
    help="Exports for eval, or a section for ~/.aws/config.",
)
@click.option("--name", default="pileus", show_default=True, help="Name of the AWS profile.")
def env(folder: Path, form: str, name: str) -> None:
    """Print what clients need to find the cloud: eval "$(pileus env)"."""
    home = Home(folder)
    config = home.expect()
    text = env_.exports(home, config) if form == "shell" else env_.aws_profile(home, config, name)
    click.echo(text)


@main.command()
@_HOME
@_HYPERVISOR
@_ports
@click.option("--probe/--no-probe", default=True, help="Boot a probe guest to try /dev/kvm.")
def doctor(
    folder: Path,
    hypervisor: str | None,
    native_port: int | None,
    aws_port: int | None,
    probe: bool,
) -> None:
    """Check every precondition and name the remedy of each that does not hold."""
    from tools.doctor import examine

    home = Home(folder)
    config = _wanted(home.config(), hypervisor, native_port, aws_port)
    running = home.supervisor() is not None
    failed = 0
    for finding in examine(home, config, running=running, probe=probe):
        failed += not finding.holds
        mark = "ok     " if finding.holds else "MISSING"
        click.echo(f"{mark} {finding.name}: {finding.seen}")
        if not finding.holds:
            click.echo(f"        Remedy: {finding.remedy}")
    click.echo(f"{failed} missing" if failed else "Everything is there.")
    sys.exit(1 if failed else 0)


@main.command()
@_HOME
@click.argument("instance")
@click.option("-i", "key", type=click.Path(path_type=Path, exists=True), help="Private key file.")
@click.option("-l", "user", default="root", show_default=True, help="User to log in as.")
@click.argument("words", metavar="[-- COMMAND…]", nargs=-1)
def ssh(folder: Path, instance: str, key: Path | None, user: str, words: tuple[str, ...]) -> None:
    """Log into INSTANCE (EC2 id, native id or name), or run a COMMAND in it."""
    from gateway.native import NativeFault
    from tools.native import as_admin
    from tools.ssh import command, find_guest

    home = Home(folder)
    config = home.expect()
    try:
        guest = find_guest(home, config, as_admin(home, config), instance)
    except NativeFault as fault:
        raise Refusal(f"The native API says: {fault.text}", "look at: pileus status") from None
    argv = command(home, guest, key=key, user=user, words=words)
    if os.geteuid() != 0:
        raise Refusal("Guest networks can be entered by root alone.", "run as root")
    os.execv(argv[0], argv)  # noqa: S606 - a list of words, no shell


@main.group()
def jobs() -> None:
    """Look at the cloud's jobs, and resume one that is stuck."""


@jobs.command("list")
@_HOME
@click.option("--all", "everything", is_flag=True, help="Finished jobs too.")
@click.option("--limit", default=100, show_default=True, help="Look at so many of the latest.")
def jobs_list(folder: Path, everything: bool, limit: int) -> None:
    """List unfinished jobs, newest first."""
    from tools.jobs import listing

    lines = listing(_settings(folder), limit=limit, everything=everything)
    click.echo("\n".join(lines) or "No jobs.")


@jobs.command("show")
@_HOME
@click.argument("job")
def jobs_show(folder: Path, job: str) -> None:
    """Show a job with its steps."""
    from tools.jobs import story

    click.echo("\n".join(story(_settings(folder), job)))


@jobs.command("resume")
@_HOME
@click.argument("job")
def jobs_resume(folder: Path, job: str) -> None:
    """Let a stuck job try again from where it stopped."""
    from tools.jobs import resume

    resume(_settings(folder), job)
    click.echo(f"Job {job} goes on.")


main.add_command(image)
main.add_command(s3)


def _wanted(
    there: Config | None, hypervisor: str | None, native_port: int | None, aws_port: int | None
) -> Config:
    """What the options ask for, where they say nothing what the home says, then the defaults."""
    before = there or Config(hypervisor or "libvirt")
    if hypervisor not in (None, before.hypervisor):
        raise Refusal(
            f"The cloud in this home was made with --hypervisor {before.hypervisor}, and stays so.",
            "name another folder with --home, or: pileus down --destroy",
        )
    return Config(before.hypervisor, native_port or before.native_port, aws_port or before.aws_port)


def _settings(folder: Path) -> "Settings":
    home = Home(folder)
    return cloud.settings(home, home.expect())


def _welcome(home: Home, config: Config, progress: Progress) -> str:
    where = "" if home.path == DEFAULT_HOME.expanduser() else f" --home {home.path}"
    return "\n".join(
        (
            f"Ready after {progress.elapsed:.1f} s.",
            f"  EC2 and S3   {config.aws_url}",
            f"  native API   {config.native_url}",
            f'  clients      eval "$(pileus env{where})"',
            f"  stop         pileus down{where}",
        )
    )
