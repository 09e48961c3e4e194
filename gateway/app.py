"""The composition root: settings in, WSGI application out."""

import logging

from flask import Flask, Response, request

from gateway.credentials import NativeCredentials
from gateway.ec2.endpoint import Ec2
from gateway.front import Front
from gateway.native import Native, Wire
from gateway.settings import Settings


def create(settings: Settings | None = None) -> Flask:
    """Build the gateway. Nothing is opened or connected before the first request."""
    settings = settings or Settings()
    wire = Wire.to(
        settings.native_url, settings.native_timeout_seconds, settings.native_connections
    )
    service = Native(wire, settings.service_key, settings.service_secret.get_secret_value())
    source = NativeCredentials(service, settings.credential_cache_seconds)
    ec2 = Ec2(settings, source, wire)
    app = Flask(__name__, static_folder=None)

    @app.before_request
    def answer() -> Response:
        """Before routing: paths are matched by the front, never rewritten, never redirected."""
        return ec2(request)

    app.wsgi_app = Front(app.wsgi_app, app.wsgi_app)  # type: ignore[method-assign]
    logging.getLogger("gateway").setLevel(logging.INFO)
    return app
