"""The native API for tools: the gateway's signed client, as administrator, plus waiting."""

import time
from typing import Any

from gateway.native import Native as Client
from gateway.native import NativeFault, Wire
from tools.home import Config, Home

Row = dict[str, Any]
JOB_SECONDS = 300.0


class Native:
    """The native API as one user sees it, with Python values as parameters."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def call(self, command: str, /, **params: object) -> Row:
        """Call a command; the content of its envelope. None parameters are left out.

        Raises:
            NativeFault: the command was refused, or there was no answer.
        """
        return self._client.call(command, **_wire(params))

    def rows(self, command: str, /, **params: object) -> list[Row]:
        """Call a list command; all of its rows."""
        return self._client.rows(command, **_wire(params))

    def done(self, command: str, /, **params: object) -> Row:
        """Call an asynchronous command and wait for its job; the job's result.

        Raises:
            NativeFault: the call was refused, or the job failed, or took over five minutes.
        """
        job = self.call(command, **params)["jobid"]
        deadline = time.monotonic() + JOB_SECONDS
        while time.monotonic() < deadline:
            state = self.call("queryAsyncJobResult", jobid=job)
            result: Row = state.get("jobresult") or {}
            if state["jobstatus"] == 1:
                return result
            if state["jobstatus"] == 2:
                raise _failed(result)
            time.sleep(0.2)
        text = f"The job {job} of {command} is not done after {JOB_SECONDS:.0f} s."
        raise NativeFault("unavailable", "job", "", text, 530)


def as_admin(home: Home, config: Config, *, timeout: float = 30.0) -> Native:
    """The native API of a home's cloud, called by its administrator; ``timeout`` in seconds."""
    admin = home.key("admin")
    return Native(Client(Wire.to(config.native_url, timeout, 4), admin.access, admin.secret))


def _failed(result: Row) -> NativeFault:
    return NativeFault(
        kind=result.get("kind", ""),
        subject=result.get("subject", ""),
        field=result.get("field", ""),
        text=result.get("errortext", "The job failed."),
        errorcode=int(result.get("errorcode", 530)),
    )


def _wire(params: dict[str, object]) -> dict[str, str]:
    """Parameters as the wire spells them: true and false in lower case, lists with commas."""
    spelled = {}
    for name, value in params.items():
        if isinstance(value, bool):
            spelled[name] = str(value).lower()
        elif isinstance(value, list | tuple):
            spelled[name] = ",".join(map(str, value))
        elif value is not None:
            spelled[name] = str(value)
    return spelled
