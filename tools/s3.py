"""``pileus s3``: the object store as an operator sees it, whether the cloud runs or not.

The commands open the store beside the gateway, which may go on serving it: both are only two of its
processes. Accounts are the native API's; where it does not answer they are shown by their ids.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tools.home import Home
from tools.options import HOME
from tools.refusal import Refusal

if TYPE_CHECKING:
    from gateway.s3.sealing.keys import Keys
    from gateway.settings import Settings
    from s3store.records import Bucket
    from s3store.store import Store

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB")
_UNITS = {letter: 1 << 10 * power for power, letter in enumerate(" KMGT")}
_DIGITS = 15
_SHOWN_SECONDS = 1.0


@click.group()
def s3() -> None:
    """Look at the object store, check and repair it, and set quotas."""


@s3.command()
@HOME
def status(folder: Path) -> None:
    """Show what each account has: buckets, objects, bytes, its quota, and uploads under way."""
    from s3store.metering import usages

    home = Home(folder)
    with _store(home) as store:
        found = usages(store)
        uploads = _uploads(store)
        names = _accounts(home)
        row = "{:28} {:>8} {:>10} {:>12} {:>8}  {}"
        click.echo(row.format("account", "buckets", "objects", "bytes", "uploads", "quota"))
        for owner, has in sorted(found.items(), key=lambda pair: names.get(pair[0], pair[0])):
            click.echo(
                row.format(
                    names.get(owner, owner),
                    has.buckets,
                    has.objects,
                    size_of(has.bytes),
                    uploads.get(owner, 0),
                    _quota_text(store, owner),
                )
            )
    if not found:
        click.echo("Nobody has a bucket.")


@s3.command()
@HOME
def buckets(folder: Path) -> None:
    """List all buckets with their owners, and what is in them."""
    from s3store.metering import contents

    home = Home(folder)
    with _store(home) as store:
        inside, names = contents(store), _accounts(home)
        row = "{:40} {:20} {:>10} {:>12}  {:10} {}"
        click.echo(row.format("bucket", "account", "objects", "bytes", "versioning", "settings"))
        for bucket in store.every_bucket():
            objects, size = inside.get(bucket.id, (0, 0))
            settings = " ".join(sorted(bucket.settings))
            owner = names.get(bucket.owner, bucket.owner)
            about = bucket.versioning or "-"
            click.echo(row.format(bucket.name, owner, objects, size_of(size), about, settings))


@s3.command()
@HOME
@click.option("--repair", is_flag=True, help="Put right what can be, without losing any bytes.")
def fsck(folder: Path, repair: bool) -> None:
    """Check that every object has its bytes, and every file its object.

    All content is read, and opened where the cloud has its key; what only a customer's own key
    opens is looked at from outside. Exits 0 if all is well or was repaired, else 1. Bytes that are
    missing or damaged cannot be repaired: delete those objects, or put a backup of their files
    back. Content that is unreadable needs a backup of the keys.
    """
    from functools import partial

    from gateway.s3.sealing import seals
    from s3store.fsck import check

    home = Home(folder)
    began, left, repaired = time.monotonic(), 0, 0
    with _store(home) as store:
        for found in check(store, repair, _Teller(), partial(seals.opened, _keys(home))):
            repaired += found.repaired
            left += not found.repaired
            mark = "repaired: " if found.repaired else ""
            click.echo(f"{mark}{found.kind}: {found.subject}: {found.detail}")
    took = time.monotonic() - began
    click.echo(f"{left} left wrong, {repaired} repaired, after {took:.1f} s.")
    raise SystemExit(1 if left else 0)


@s3.command("rotate-key")
@HOME
@click.argument("key", default="")
@click.option("--resume", is_flag=True, help="Make no new secret; finish what was begun.")
def rotate_key(folder: Path, key: str, resume: bool) -> None:
    """Renew the key of SSE-S3, or KEY (id or alias) of SSE-KMS, while the gateway goes on.

    All that is written from now on is encrypted under the new secret. The data keys of all that is
    there are wrapped anew under it, whose content is not touched; what could not be opened is
    named, and the command exits 1. Cut off in the middle it has done no harm: finish it with
    --resume. Older secrets stay in the key files; take them out only when --resume, run once all
    uploads have ended that were under way, finds nothing left to do.
    """
    from gateway.s3.faults import S3Fault
    from gateway.s3.sealing.rotation import Rotation
    from s3store.resealing import Resealed, reseal

    if key and resume:
        raise Refusal("--resume is about all keys.", "leave the key out")
    home = Home(folder)
    rotation, tell, done = Rotation(_keys(home)), _Teller(), Resealed()
    if not resume:
        try:
            rotation.keys.renew(key)
        except S3Fault as fault:
            raise Refusal(fault.message, "cat keys/named.json in the storage root") from None
        click.echo("There is a new secret, and all that is written from now on rests on it.")
    with _store(home) as store:
        for done in reseal(store, rotation.renewed):
            tell(f"{done.seen} seen, {done.changed} wrapped anew")
    for name in rotation.failed:
        click.echo(f"cannot be opened: {name}")
    click.echo(f"{done.changed} of {done.seen} encrypted objects and uploads were wrapped anew.")
    raise SystemExit(1 if rotation.failed else 0)


@s3.command()
@HOME
@click.option("--grace-hours", default=24.0, show_default=True, help="Leave alone what is newer.")
def sweep(folder: Path, grace_hours: float) -> None:
    """Remove now what crashes left over; the gateway does it every hour."""
    from datetime import timedelta

    from s3store.sweep import sweep as clean

    with _store(Home(folder)) as store:
        done = clean(store, timedelta(hours=grace_hours))
    click.echo(f"Gave up {done.uploads} files under way, removed {done.files} files without a use.")


@s3.command()
@HOME
def lifecycle(folder: Path) -> None:
    """Apply the lifecycle rules of all buckets now; the gateway does it by itself every hour."""
    from datetime import timedelta
    from functools import partial

    from gateway.s3.background.events import Cause
    from gateway.s3.background.lifecycle import apply
    from s3store.witness import witnessed

    home = Home(folder)
    settings = _settings(home)
    watch = partial(witnessed, Cause.of_lifecycle(settings.region))
    with _store(home) as store:
        done = apply(store, timedelta(seconds=settings.s3_lifecycle_day_seconds), watch=watch)
    click.echo(
        f"{done.objects} objects expired; {done.old} old versions, {done.markers} delete markers "
        f"and {done.uploads} uploads removed."
    )


def _limit(text: str) -> int | str:
    """A number, perhaps with K, M, G or T behind it; or ``none``."""
    plain = text.strip().upper().removesuffix("IB").removesuffix("B")
    if plain == "NONE":
        return "none"
    number, unit = (plain[:-1], plain[-1]) if plain[-1:].isalpha() else (plain, " ")
    if not number.isdecimal() or len(number) > _DIGITS or unit not in _UNITS:
        raise ValueError(text)
    return int(number) * _UNITS[unit]


@s3.command()
@HOME
@click.argument("account")
@click.option("--buckets", type=_limit, metavar="NUMBER|none", help="How many buckets it may have.")
@click.option(
    "--objects",
    type=_limit,
    metavar="NUMBER|none",
    help="How many versions of objects it may have.",
)
@click.option(
    "--bytes", "size", type=_limit, metavar="NUMBER|none", help="How many bytes, as 500G."
)
@click.option("--default", "drop", is_flag=True, help="Give it what all accounts may have.")
def quota(
    folder: Path,
    account: str,
    buckets: int | str | None,
    objects: int | str | None,
    size: int | str | None,
    drop: bool,
) -> None:
    """Show what ACCOUNT (name or id) has and may have in S3, or set what it may have."""
    from s3store.records import Quota

    home = Home(folder)
    owner = _account(home, account)
    wanted = {"buckets": buckets, "objects": objects, "bytes": size}
    given = {name: value for name, value in wanted.items() if value is not None}
    if drop and given:
        raise Refusal("--default goes with no limit of its own.", "give one or the other")
    with _store(home) as store:
        if drop:
            store.set_quota(owner, None)
        elif given:
            now = store.quota(owner)
            told = {"buckets": now.buckets, "objects": now.objects, "bytes": now.bytes}
            told |= {n: None if v == "none" else int(v) for n, v in given.items()}
            store.set_quota(owner, Quota(**told))
        has, may = store.usage(owner), store.quota(owner)
    for name, used, most in (
        ("buckets", str(has.buckets), may.buckets),
        ("objects", str(has.objects), may.objects),
        ("bytes", size_of(has.bytes), None if may.bytes is None else size_of(may.bytes)),
    ):
        click.echo(f"{name:8} {used:>12} of {'any number' if most is None else most}")


def size_of(count: int) -> str:
    """Bytes for people: ``1.5 MiB``."""
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_BINARY) - 1:
        value, unit = value / 1024, unit + 1
    return f"{count} B" if not unit else f"{value:.1f} {_BINARY[unit]}"


def _settings(home: Home) -> "Settings":
    """The gateway's settings of this home: what its process gets from the environment."""
    import os

    from gateway.settings import Settings
    from tools.parts import gateway_settings

    os.environ.update(gateway_settings(home, home.expect()))
    return Settings()


def _keys(home: Home) -> "Keys":
    """What the gateway of this home encrypts under."""
    from gateway.s3.sealing.keys import Keys

    return Keys(_settings(home).keys)


@contextmanager
def _store(home: Home) -> Iterator["Store"]:
    """The store of a home, with faults as refusals."""
    from gateway.stores import store as opened
    from s3store.faults import StoreFault

    store = opened(_settings(home))
    try:
        yield store
    except StoreFault as fault:
        raise Refusal(f"The object store says: {fault}") from None
    finally:
        store.close()


def _uploads(store: "Store") -> dict[str, int]:
    """Multipart uploads under way, by owner of their bucket."""
    found = dict[str, int]()
    for bucket in store.every_bucket():
        found[bucket.owner] = found.get(bucket.owner, 0) + _open(store, bucket)
    return found


def _open(store: "Store", bucket: "Bucket") -> int:
    count, after = 0, None
    while batch := store.scan_uploads(bucket, after, 1000):
        count += len(batch)
        after = (batch[-1].key.encode(), batch[-1].id)
    return count


def _quota_text(store: "Store", owner: str) -> str:
    may = store.quota(owner)
    told = {"buckets": may.buckets, "objects": may.objects}
    parts = [f"{most} {name}" for name, most in told.items() if most is not None]
    parts += [] if may.bytes is None else [size_of(may.bytes)]
    return ", ".join(parts) or "none"


class _Teller:
    """Prints where a work is, at most once a second."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, where: str) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _SHOWN_SECONDS
            click.echo(where, err=True)


def _accounts(home: Home) -> dict[str, str]:
    """Names of accounts by id; none when the native API does not answer."""
    from gateway.native import NativeFault
    from tools.native import as_admin

    try:
        rows = as_admin(home, home.expect()).rows("listAccounts", listall=True)
    except NativeFault:
        return {}
    return {row["id"]: row["name"] for row in rows}


def _account(home: Home, given: str) -> str:
    """The id of the account of this name or id."""
    names = _accounts(home)
    if not names:
        raise Refusal("The native API, which knows the accounts, does not answer.", "pileus up")
    found = [ident for ident, name in names.items() if given in (ident, name)]
    if not found:
        raise Refusal(f"There is no account {given}.", "cs listAccounts listall=true")
    if len(found) > 1:
        raise Refusal(f"Several accounts are called {given}.", f"give one id: {', '.join(found)}")
    return found[0]
