"""What all rooms of the store share: the files, the index, and the life of a file under way.

How content comes to be, and why a crash at any instant loses nothing and shows nothing half::

    row "arrival" → file incoming/<id>, digests on the way → the caller's check of them
      → fsync → rename to blobs/ → fsync of the folder → one transaction: the arrival's row gone,
      the version's there, that of the version it replaces gone → the replaced one's file removed

Before the last transaction the object is as it was; after it the new one is complete and durable.
Content that is small goes into the index instead: the last transaction is then the only step. Files
and rows that a crash leaves over are invisible, and the sweep removes them. Deleting goes the other
way round: the row first, the file later. A reader that has a file open keeps reading it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection

from s3store import faults
from s3store.checksums import Digests
from s3store.engines.folder import Folder
from s3store.engines.ports import Engine
from s3store.index import leftovers, uploads, versions
from s3store.index.database import Database
from s3store.index.ledger import Ledger, held
from s3store.index.versions import Gone
from s3store.multipart import LEAST_PART
from s3store.records import Quota

Check = Callable[[Digests], None]
"""Looks at an upload's digests before anything is made visible; raises to refuse the upload."""

INLINE = 16 << 10
"""Bytes up to which content is kept in the index."""


class Core:
    """The files and the index of one store."""

    def __init__(
        self,
        root: Path,
        index_url: str | None = None,
        *,
        durable: bool = True,
        quota: Quota | None = None,
        inline: int = INLINE,
        least_part: int = LEAST_PART,
        engine: Engine | None = None,
    ) -> None:
        """Open a store, making it when it is absent.

        Its index is connected to on the first call, so a store may be made before a fork.

        Args:
            root: folder of the content files, and of the index when it is in SQLite.
            index_url: SQLAlchemy URL of the index; an SQLite file in ``root`` when absent.
            durable: whether a change waits until it is safe on the disk. Without, all is faster,
                and what was acknowledged shortly before a power failure may be lost or damaged; a
                crash of the process alone does no harm.
            quota: what accounts may have that have none of their own; no limits when absent.
            inline: bytes up to which content is kept in the index; none is when negative.
            least_part: bytes of every part of a multipart upload but the last.
            engine: where the content lies; in files in ``root`` when absent.
        """
        root.mkdir(parents=True, exist_ok=True)
        self.blobs: Engine = engine or Folder(root, durable)
        url = index_url or f"sqlite:///{root.absolute() / 'index.sqlite'}"
        self.index = Database(url, durable)
        self.default_quota = quota or Quota()
        self._inline, self._least_part = inline, least_part

    def close(self) -> None:
        """Give the connections to the index and to the content back."""
        self.index.close()
        self.blobs.close()

    @contextmanager
    def _arrival(self, begin: Callable[[Connection, str], None]) -> Iterator[str]:
        """Announce a file under a new name; whatever goes wrong inside undoes it.

        Args:
            begin: what else must hold in the transaction that announces it.
        """
        name = uuid4().hex

        def announce(connection: Connection) -> None:
            begin(connection, name)
            versions.announce(connection, name, now())

        self.index.change(announce, durable=False)
        try:
            yield name
        except BaseException:
            # When the index cannot be asked now, the sweep does this later.
            with suppress(faults.StoreBusy):
                self._withdraw(name)
            raise

    def _withdraw(self, name: str) -> None:
        """Take an announcement back, and what was written of the file."""
        if self.index.change(lambda c: leftovers.abandon(c, name), durable=False):
            self.blobs.discard(name)

    def _books(self, connection: Connection, bucket_id: int) -> AbstractContextManager[Ledger]:
        return held(connection, bucket_id, self.default_quota)

    def _clear(self, gone: Iterable[Gone]) -> None:
        """Remove the files of versions that were removed."""
        for lost in gone:
            if lost.place == "file":
                self.blobs.remove(lost.id)
            elif lost.place == "parts":
                self.release(lost.id)

    def release(self, name: str) -> int:
        """Remove the files of a removed version's parts, unless it is still being read.

        Returns:
            How many; 0 when a reader holds them, so that the sweep will try again.
        """
        with self.index.look() as connection:
            names = [part.id for part in uploads.parts(connection, name)]
        if not names or not self.blobs.release(names):
            return 0
        self.index.change(lambda c: uploads.forget_dropped(c, name), durable=False)
        return len(names)


def now() -> datetime:
    """The time as the index keeps it: to the millisecond."""
    time = datetime.now(UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
