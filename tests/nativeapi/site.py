"""A cloud with its native API, and the people who call it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from nativeapi import signature
from nativeapi.app import PATH
from orchestrator.resources import accounts
from orchestrator.schema.accounts import Account, Domain, User
from orchestrator.schema.session import Session
from tests.orchestrator.cloud import Cloud

Answered = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Person:
    """Someone with keys."""

    id: str
    account: str
    key: str
    secret: str


@dataclass
class Site:
    """The application, its cloud, and one person of every kind.

    ``admin`` is the root administrator; ``keeper`` administers the domain that ``alice`` and
    ``bob`` have an account each in; ``service`` may only look credentials up.
    """

    cloud: Cloud
    app: Flask
    people: dict[str, Person]
    domain: str

    def send(self, params: Mapping[str, str], body: Mapping[str, str] | None = None) -> Any:
        """A request as it is, by GET or with a body by POST."""
        http: FlaskClient = self.app.test_client()
        url = f"{PATH}?{urlencode(params)}"
        return http.get(url) if body is None else http.post(url, data=dict(body))

    def signed(self, person: str, command: str, **params: object) -> dict[str, str]:
        """The parameters of a signed call that asks for JSON."""
        caller = self.people[person]
        told = {"command": command, "response": "json", "apiKey": caller.key}
        told |= {name: _spelt(value) for name, value in params.items() if value is not None}
        return told | {"signature": signature.sign(caller.secret, told)}

    def ask(self, person: str, command: str, **params: object) -> Answered:
        """Status and content of a signed call."""
        answer = self.send(self.signed(person, command, **params))
        [content] = json.loads(answer.data).values()
        return answer.status_code, content

    def call(self, person: str, command: str, **params: object) -> dict[str, Any]:
        """The content of a signed call that succeeds."""
        status, content = self.ask(person, command, **params)
        assert status == 200, content
        return content

    def refused(self, person: str, command: str, **params: object) -> tuple[int, str, str, Any]:
        """Code, kind, subject and field of a call that is refused."""
        status, content = self.ask(person, command, **params)
        assert status == content["errorcode"], content
        return status, content["kind"], content["subject"], content.get("field")

    def result(self, person: str, command: str, **params: object) -> dict[str, Any]:
        """The result of an asynchronous call that succeeds, once its job has run."""
        job = self.call(person, command, **params)["jobid"]
        self.cloud.run()
        answer = self.call(person, "queryAsyncJobResult", jobid=job)
        assert answer["jobstatus"] == 1, answer
        result: dict[str, Any] = answer["jobresult"]
        return result

    @contextmanager
    def listening(self) -> Iterator[str]:
        """The URL of the native API while it listens."""
        server = make_server("127.0.0.1", 0, self.app, threaded=True)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.port}{PATH}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _spelt(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def settle(db: Session, root: Domain) -> tuple[dict[str, Person], str]:
    """Make the people; them, and the id of the domain below the root."""
    below = Domain(name="team", path="/team/", parent_id=root.id, level=1)
    db.add(below)
    db.flush()
    places = {
        "admin": (root, 1),
        "keeper": (below, 2),
        "alice": (below, 0),
        "bob": (below, 0),
        "service": (root, 0),
    }
    people = {name: _person(db, name, domain, kind) for name, (domain, kind) in places.items()}
    return people, below.id


def _person(db: Session, name: str, domain: Domain, kind: int) -> Person:
    account: Account = accounts.create_account(db, name=name, type=kind, domain_id=domain.id)
    user: User = accounts.create_user(
        db,
        account,
        username=name,
        password="secret",
        firstname=name.capitalize(),
        lastname="Doe",
        email=f"{name}@example.com",
        service=name == "service",
    )
    accounts.register_keys(user)
    db.flush()
    return Person(user.id, account.id, user.api_key or "", user.secret_key or "")
