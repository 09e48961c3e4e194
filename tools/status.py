"""``pileus status``: what runs, since when, on which port, and whether it answers."""

from tools import cloud
from tools.cloud import Process
from tools.home import Config, Home
from tools.native import Native, as_admin
from tools.ready import FACES, NATIVE, ailment, face_probes, native_probe

_ROW = "{:13} {:>8}  {:12} {:>6}  {:>8}  {}"
# Which answers speak for which process.
_SPEAKS_FOR = {"native": (NATIVE,), "gateway": FACES}


def report(home: Home, config: Config, now: float) -> tuple[list[str], bool]:
    """Lines for the terminal, and whether everything is well. ``now``: seconds since the epoch."""
    running = cloud.processes(home)
    if not running:
        return [f"The cloud in {home.path} ({config.hypervisor}) does not run."], False
    ailments = _ailments(home, config)
    lines = [
        f"The cloud in {home.path} ({config.hypervisor})",
        _ROW.format("process", "pid", "for", "port", "restarts", "health"),
    ]
    healthy = True
    for process in running:
        why = _why(process, ailments)
        healthy = healthy and why is None
        lines.append(_row(process, now, why or "well"))
    if ailments[NATIVE] is None:
        lines += [f"{name} is switched off" for name in FACES if name not in ailments]
        lines.append(_guests(as_admin(home, config)))
    return lines, healthy


def _ailments(home: Home, config: Config) -> dict[str, str | None]:
    """Why each protocol does not answer; those that are switched off are left out."""
    native = {name: ailment(probe) for name, probe in native_probe(home, config).items()}
    if native[NATIVE]:
        return native | dict.fromkeys(FACES, "the native API has to answer first")
    faces = face_probes(home, config).items()
    return native | {name: ailment(probe) for name, probe in faces}


def _row(process: Process, now: float, health: str) -> str:
    lasting = _lasting(now - process.since) if process.pid else "-"
    pid, port = process.pid or "-", process.port or "-"
    return _ROW.format(process.name, pid, lasting, port, process.restarts, health)


def _why(process: Process, ailments: dict[str, str | None]) -> str | None:
    if process.pid is None:
        return "down; it is about to be started again"
    protocols = _SPEAKS_FOR.get(process.name, ())
    ill = (name for name in protocols if ailments.get(name))
    return next((f"{name}: {ailments[name]}" for name in ill), None)


def _guests(native: Native) -> str:
    rows = native.rows("listVirtualMachines", listall=True)
    running = sum(row["state"] == "Running" for row in rows)
    return f"instances: {len(rows)}, running: {running}"


def _lasting(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m {rest:02}s"
