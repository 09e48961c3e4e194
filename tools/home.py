"""The home of a cloud: the one folder that holds all of its state, and who is at work on it.

::

    cloud.json     what the cloud is: format, hypervisor, ports
    cloud.sqlite   the database            objects/    what S3 keeps
    primary/       disks of instances      secondary/  templates
    staging/       images on their way to a bucket
    keys/          access keys (0600)      logs/       one file per process
    run/           locks, process ids, sockets

The folder is readable by its owner alone. Two locks in ``run`` keep commands apart: ``up.lock`` is
held while a command starts or stops the cloud, ``supervisor.lock`` for as long as the cloud runs.
The kernel releases both when their holder dies, so neither can be left behind.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.refusal import Refusal

FORMAT = 1
DEFAULT_HOME = Path("~/.pileus")
FOLDERS = ("objects", "primary", "secondary", "keys", "logs", "run")


@dataclass(frozen=True)
class Config:
    """What a cloud was told to be."""

    hypervisor: str
    native_port: int = 8080
    aws_port: int = 7080

    @property
    def native_url(self) -> str:
        """Where the native API answers."""
        return f"http://127.0.0.1:{self.native_port}/client/api"

    @property
    def aws_url(self) -> str:
        """Where EC2 and S3 answer."""
        return f"http://127.0.0.1:{self.aws_port}/"


@dataclass(frozen=True)
class Key:
    """An access key and its secret."""

    access: str
    secret: str


class Home:
    """Paths and files of one cloud."""

    def __init__(self, folder: Path) -> None:
        self.path = folder.expanduser().absolute()

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @property
    def tag(self) -> str:
        """Six hexadecimal digits that name this cloud among those on the same machine."""
        return hashlib.sha1(str(self.path).encode(), usedforsecurity=False).hexdigest()[:6]

    # -- what the cloud is ---------------------------------------------------------------------

    def config(self) -> Config | None:
        """What the cloud was told to be; None when nothing lives here yet.

        Raises:
            Refusal: the folder belongs to something else, or to another version.
        """
        try:
            told = json.loads((self / "cloud.json").read_text())
        except (FileNotFoundError, NotADirectoryError):
            self._check_vacant()
            return None
        except PermissionError:
            raise Refusal(f"{self.path} belongs to another user.", "name one with --home") from None
        except ValueError:
            raise Refusal(
                f"{self / 'cloud.json'} cannot be read as JSON.",
                "mend it, or name another folder with --home",
            ) from None
        return self._parsed(told)

    def _parsed(self, told: object) -> Config:
        found = told.get("format") if isinstance(told, dict) else None
        if not isinstance(told, dict) or found != FORMAT:
            raise Refusal(
                f"{self.path} holds a cloud of format {found}; this Pileus keeps format {FORMAT}.",
                "use the Pileus that made it, or name another folder with --home",
            )
        return Config(str(told["hypervisor"]), int(told["native_port"]), int(told["aws_port"]))

    def expect(self) -> Config:
        """Like :meth:`config`, but there must be a cloud."""
        config = self.config()
        if config is None:
            raise Refusal(
                f"There is no cloud in {self.path}.",
                f"make one with: pileus up --home {self.path}",
            )
        return config

    def _check_vacant(self) -> None:
        """Refuse a folder in which something else lives; an unfinished first start is ours."""
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise Refusal(f"{self.path} is not a folder.", "name a folder with --home")
        strangers = sorted({entry.name for entry in self.path.iterdir()} - set(FOLDERS))
        if strangers:
            raise Refusal(
                f"{self.path} is not a Pileus home: it holds {strangers[0]}.",
                "name a new or an empty folder with --home",
            )

    def prepare(self) -> None:
        """Make the folders, for the owner's eyes alone."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.chmod(0o700)
            for name in FOLDERS:
                (self / name).mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise Refusal(
                f"{self.path} cannot be made: {error.strerror}.", "name another with --home"
            ) from None

    def save(self, config: Config) -> None:
        """Remember what the cloud is."""
        self.write("cloud.json", json.dumps({"format": FORMAT, **asdict(config)}, indent=2) + "\n")

    def remove(self) -> None:
        """Remove the home and everything in it."""
        shutil.rmtree(self.path)

    # -- secrets and other small files ---------------------------------------------------------

    def write(self, name: str, text: str) -> None:
        """Replace a small file in one step, readable by its owner alone."""
        file = self / name
        fresh = file.with_name(f".{file.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(file)

    def key(self, name: str) -> Key:
        """The access key of ``admin`` or ``service``."""
        try:
            return Key(**json.loads((self / f"keys/{name}.json").read_text()))
        except FileNotFoundError:
            raise Refusal(
                f"The cloud in {self.path} was never started to the end.",
                f"run: pileus up --home {self.path}",
            ) from None

    def save_key(self, name: str, key: Key) -> None:
        """Remember an access key."""
        self.write(f"keys/{name}.json", json.dumps(asdict(key)) + "\n")

    # -- who is at work ------------------------------------------------------------------------

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Keep other commands from starting or stopping this cloud meanwhile."""
        with open(self / "run/up.lock", "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Refusal(
                    f"Another pileus command is starting or stopping the cloud in {self.path}.",
                    "wait for it to end, then run this again",
                ) from None
            yield

    def supervisor(self) -> int | None:
        """Process id of the supervisor; None when the cloud does not run."""
        try:
            with open(self / "run/supervisor.lock") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return int(lock.read() or 0) or None
        except (FileNotFoundError, NotADirectoryError):
            pass
        return None
