"""Composition root of the native API: settings in, WSGI application out.

Runs under gunicorn as ``nativeapi.app:create()``. Nothing is opened when it is made: the database
is first touched by the first call, in the process that answers it, so forking is safe.
"""

import gc
import os
from collections.abc import Callable

from flask import Flask, Response, request

from nativeapi import envelopes, registry
from nativeapi.dispatch import Answer, Dispatcher, refusal
from nativeapi.request import MAX_BODY, read, wants_json
from orchestrator import logs
from orchestrator.faults import Fault, invalid
from orchestrator.schema.secrets import vault
from orchestrator.schema.session import Sessions
from orchestrator.settings import Settings

PATH = "/client/api"

# How much of an absurd body is read and thrown away before the refusal is sent: a client that is
# still sending would see a reset connection instead of the answer.
_DRAINED = 64 << 20
_PIECE = 1 << 16


def create(settings: Settings | None = None) -> Flask:
    """The application that answers ``/client/api``.

    Without settings the process is ours (gunicorn's worker), and so are its log and environment.
    """
    if settings is None:
        logs.configure()
    app = Flask("nativeapi", static_folder=None)
    # A redirect would repeat the query, signature and all, to whatever host the caller names.
    app.url_map.merge_slashes = False
    dispatcher = Dispatcher(registry.load(), _per_process(settings or Settings()))

    def api() -> Response:
        query = request.query_string
        try:
            call = read(query, _body(), request.mimetype)
        except Fault as fault:
            return _respond(refusal(fault, None), wants_json(query))
        return _respond(dispatcher.answer(call), call.json)

    app.add_url_rule(PATH, view_func=api, methods=["GET", "POST"], strict_slashes=False)
    # What is loaded by now lives as long as the process: the collector need not look at it again
    # and again, least of all in the middle of a long answer, which makes objects by the thousand.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    return app


def _per_process(settings: Settings) -> Callable[[], Sessions]:
    """The database of this process: opened when first asked for, anew after a fork."""
    opened: dict[int, Sessions] = {}

    def sessions() -> Sessions:
        process = os.getpid()
        if process not in opened:
            vault.open(settings.secrets_file)
            opened[process] = Sessions(settings.url)
        return opened[process]

    return sessions


def _body() -> bytes:
    """The body, or one byte more than is allowed of it.

    Raises:
        Fault: (invalid) the client broke off, or the chunks it sent are none.
    """
    try:
        body = request.stream.read(MAX_BODY + 1)
        drained = 0
        while len(body) > MAX_BODY and drained < _DRAINED:
            piece = request.stream.read(_PIECE)
            if not piece:
                break
            drained += len(piece)
    except Exception as error:  # every server has its own for a client that went away
        raise invalid("command", "The body could not be read to its end.") from error
    return body


def _respond(answer: Answer, json: bool) -> Response:
    write = envelopes.write_json if json else envelopes.write_xml
    response = Response(
        write(answer.envelope, answer.content),
        answer.status,
        content_type=envelopes.JSON_TYPE if json else envelopes.XML_TYPE,
    )
    response.headers["Cache-Control"] = "no-store"
    if answer.text is not None:
        response.headers["X-Description"] = _header(answer.text)
    return response


def _header(text: str) -> str:
    """A text as a header may carry it: one line of printable ASCII."""
    return "".join(char if " " <= char <= "~" else "?" for char in text)[:500]
