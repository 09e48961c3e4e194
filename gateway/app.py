"""The composition root: settings in, WSGI application out.

Runs under gunicorn as ``gateway.app:create()``. Nothing is opened or connected when it is made, so
forking is safe.
"""

import gc
import logging
from datetime import timedelta

from flask import Flask, Response, request

from gateway.credentials import NativeCredentials
from gateway.ec2.endpoint import Ec2
from gateway.front import S3_MOUNT, Front
from gateway.native import Native, Wire
from gateway.objects import Objects
from gateway.s3.background.receivers import Guard
from gateway.s3.endpoint import S3
from gateway.s3.options import Options
from gateway.s3.protocol.hosts import Hosts
from gateway.s3.sealing.keys import Keys
from gateway.settings import Settings
from gateway.stores import store
from gateway.switches import Switches


def create(settings: Settings | None = None) -> Flask:
    """Build the gateway.

    Without settings the process is ours (gunicorn's worker), and so are its log and environment.
    """
    if settings is None:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
        settings = Settings()
    wire = Wire.to(
        settings.native_url, settings.native_timeout_seconds, settings.native_connections
    )
    service = Native(wire, settings.service_key, settings.service_secret.get_secret_value())
    source = NativeCredentials(
        service,
        settings.credential_cache_seconds,
        unknown_per_second=settings.unknown_keys_per_second,
    )
    switches = Switches(service, settings.switch_cache_seconds)
    options = Options(
        region=settings.region,
        mount=S3_MOUNT,
        skew=settings.s3_skew,
        switched_on=lambda: switches.positions().s3,
        hosts=Hosts(settings.s3_domain, settings.s3_website_domain),
        keys=Keys(settings.keys),
        day=timedelta(seconds=settings.s3_lifecycle_day_seconds),
        guard=Guard.of(settings.s3_event_targets),
        spool=settings.storage_root / "spool",
        log_every=timedelta(seconds=settings.s3_log_seconds),
        handover=settings.handover,
        customer_keys_over_http=settings.s3_customer_keys_over_http,
    )
    s3 = S3(store(settings), source, options)
    objects = Objects(s3, settings.s3_url, settings.region)
    ec2 = Ec2(settings, source, wire, objects, lambda: switches.positions().ec2)
    app = Flask("gateway", static_folder=None)

    @app.before_request
    def answer() -> Response:
        """Before routing: paths are matched by the front, never rewritten, never redirected."""
        return ec2(request)

    app.wsgi_app = Front(app.wsgi_app, s3, options.hosts)  # type: ignore[method-assign]
    freeze()
    return app


def freeze() -> None:
    """Tell the collector that what is loaded by now lives as long as the process.

    So it need not look at that again and again, least of all in the middle of a long answer, which
    makes objects by the thousand.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
