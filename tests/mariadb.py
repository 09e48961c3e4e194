"""A throw-away MariaDB server for tests, on a socket of its own."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pymysql

_START_SECONDS = 60


class MariaDb:
    """A server that lives as long as the tests. It listens on a unix socket only."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pileus-db-"))
        self.socket = self.folder / "s"
        data = self.folder / "data"
        subprocess.run(
            [
                "mariadb-install-db",
                "--no-defaults",
                f"--user={_user()}",
                f"--datadir={data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            check=True,
            capture_output=True,
        )
        self.process = subprocess.Popen(
            [
                "mariadbd",
                "--no-defaults",
                f"--user={_user()}",
                f"--datadir={data}",
                f"--socket={self.socket}",
                "--skip-networking",
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-flush-method=nosync",
                "--innodb-buffer-pool-size=64M",
                "--performance-schema=OFF",
                f"--log-error={self.folder / 'log'}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._await()

    def database(self, name: str) -> str:
        """A fresh database; its SQLAlchemy URL."""
        with pymysql.connect(unix_socket=str(self.socket), user="root") as connection:
            cursor = connection.cursor()
            cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
            cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        return f"mysql+pymysql://root@localhost/{name}?unix_socket={self.socket}&charset=utf8mb4"

    def close(self) -> None:
        """Stop the server and remove everything."""
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)

    def _await(self) -> None:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            ping = ["mariadb-admin", "--no-defaults", f"--socket={self.socket}", "ping"]
            if subprocess.run(ping, capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        raise TimeoutError((self.folder / "log").read_text()[-2000:])


def _user() -> str:
    """The server refuses to run as root unless told to."""
    return "root" if os.geteuid() == 0 else str(os.environ.get("USER", ""))
