"""Whether a cloud answers: one signed call on each protocol of each port."""

import time
from collections.abc import Callable
from subprocess import Popen

from botocore.exceptions import BotoCoreError, ClientError

from gateway.native import NativeFault
from tools import aws, cloud
from tools.home import Config, Home
from tools.native import as_admin
from tools.refusal import Refusal

Probe = Callable[[], object]
NATIVE = "native API"
FACES = EC2, S3 = ("EC2", "S3")
READY_SECONDS = 60.0
_TOO_MANY_RESTARTS = 4


def native_probe(home: Home, config: Config) -> dict[str, Probe]:
    """A signed call of the native API, by its name; raises when it is not answered well."""
    native = as_admin(home, config)
    return {NATIVE: lambda: native.call("listCapabilities")}


def face_probes(home: Home, config: Config) -> dict[str, Probe]:
    """A signed call for each protocol of AWS that is switched on, by its name.

    Raises:
        NativeFault: the native API does not say which are.
    """
    told = as_admin(home, config).call("listCapabilities")["capability"]
    found: dict[str, Probe] = {}
    if told["ec2apienabled"]:
        found[EC2] = aws.client("ec2", home, config).describe_regions
    if told["s3apienabled"]:
        found[S3] = aws.client("s3", home, config).list_buckets
    return found


def ailment(probe: Probe) -> str | None:
    """Why a probe fails, in a line; None when it does not."""
    try:
        probe()
    except (NativeFault, BotoCoreError, ClientError, OSError) as error:
        return str(error) or type(error).__name__
    return None


def await_ready(home: Home, waiting: dict[str, Probe], supervisor: Popen[bytes] | None) -> None:
    """Return when every probe has passed.

    Raises:
        Refusal: the supervisor ended, a part keeps dying, or it took over a minute.
    """
    deadline = time.monotonic() + READY_SECONDS
    while waiting:
        ailments = {name: ailment(probe) for name, probe in waiting.items()}
        waiting = {name: waiting[name] for name, why in ailments.items() if why}
        if supervisor and supervisor.poll() is not None:
            raise _gave_up(home, "The supervisor ended at once.", "supervisor")
        for process in cloud.processes(home):
            if process.restarts >= _TOO_MANY_RESTARTS:
                raise _gave_up(home, f"The process {process.name} keeps dying.", process.name)
        if waiting and time.monotonic() > deadline:
            name, why = next((name, why) for name, why in ailments.items() if why)
            sentence = f"{name} does not answer after {READY_SECONDS:.0f} s: {why}."
            raise _gave_up(home, sentence, "supervisor")
        if waiting:
            time.sleep(0.05)


def _gave_up(home: Home, sentence: str, log: str) -> Refusal:
    tail = cloud.log_tail(home, log)
    return Refusal(f"{sentence}\n{tail}", f"see {home / 'logs'}, then run up again")
