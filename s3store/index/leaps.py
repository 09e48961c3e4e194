"""Going from key to key, over whole common prefixes at once, in one statement.

Both databases do the same: they look for the first key from some place on, then for the first that
is not in the group of that one, and so on. SQLite does it in a recursive query. MariaDB would read
all keys for every step of one, as it plans a query before it knows the place; so it gets a block of
statements to run, each of which it plans anew.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from s3store.listing import Grouping, successor

# The next place: behind all that begins like the key up to its delimiter, else behind the key.
_SQLITE = """
WITH RECURSIVE leap(key, number) AS (
  SELECT min(key), 1 FROM {table} WHERE {inside} AND key >= :low AND key < :high
  UNION ALL
  SELECT (
    SELECT min(key) FROM {table} WHERE {inside} AND key < :high AND key >=
      CAST(CASE instr(substr(leap.key, :skip), :delimiter)
        WHEN 0 THEN leap.key || x'00'
        ELSE substr(leap.key, 1, :skip - 2 + instr(substr(leap.key, :skip), :delimiter)) || :next
      END AS BLOB)
  ), number + 1
  FROM leap WHERE key IS NOT NULL AND number < :most
)
SELECT key FROM leap WHERE key IS NOT NULL
"""
_MARIADB = """
BEGIN NOT ATOMIC
  DECLARE place, found VARBINARY(2048);
  DECLARE met LONGBLOB DEFAULT '';
  DECLARE stop, number INT DEFAULT 0;
  SET place = :low;
  WHILE number < :most DO
    SET found = (
      SELECT `key` FROM {table} FORCE INDEX ({order})
      WHERE {inside} AND `key` >= place AND `key` < :high ORDER BY `key` LIMIT 1
    );
    IF found IS NULL THEN
      SET number = :most;
    ELSE
      SET number = number + 1, met = CONCAT(met, HEX(found), ' ');
      SET stop = LOCATE(:delimiter, found, :skip);
      SET place = IF(stop, CONCAT(LEFT(found, stop - 1), :next), CONCAT(found, x'00'));
    END IF;
  END WHILE;
  SELECT met;
END
"""


@dataclass(frozen=True)
class Leaps:
    """How to leap over the keys of a bucket.

    Args:
        table: what they are in.
        inside: which rows count, as SQL; the bucket's id is ``:bucket``.
        order: name of the index that has these in order of their keys.
    """

    table: str
    inside: str
    order: str

    def keys(
        self,
        connection: Connection,
        bucket_id: int,
        low: bytes,
        high: bytes,
        grouping: Grouping,
        most: int,
    ) -> list[bytes]:
        """As :meth:`listing.Source.leap`."""
        values = {
            "bucket": bucket_id,
            "low": low,
            "high": high,
            "delimiter": grouping.delimiter,
            "skip": len(grouping.prefix) + 1,
            "next": successor(grouping.delimiter),
            "most": most,
        }
        sqlite = connection.dialect.name == "sqlite"
        query = _SQLITE if sqlite else _MARIADB
        query = query.format(table=self.table, inside=self.inside, order=self.order)
        found = connection.execute(text(query), values).scalars().all()
        return sorted(found if sqlite else map(bytes.fromhex, found[0].decode().split()))


ENTRIES = Leaps("version", "bucket_id = :bucket AND latest = 1", "one_latest")
VERSIONS = Leaps("version", "bucket_id = :bucket", "newest_first")
UPLOADS = Leaps("upload", "bucket_id = :bucket AND completed IS NULL", "oldest_first")
