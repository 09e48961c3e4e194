"""What a Host header says: which bucket is meant, and whether it is asked for as a website.

Only names under a configured domain say anything. Every other host, an IP address or the domain
itself leaves the bucket to the path. Protocol source: "Virtual hosting of general purpose buckets"
of the S3 user guide.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A bucket named by a host. ``bucket`` is empty where it is the website domain's own name."""

    bucket: str
    website: bool = False


@dataclass(frozen=True)
class Hosts:
    """The domains whose names are buckets; lower case, no dots around, empty for none.

    Args:
        domain: ``<bucket>.<domain>`` is the bucket's endpoint.
        website: ``<bucket>.<website>`` is the bucket's website.
    """

    domain: str = ""
    website: str = ""

    def place(self, host: str | None) -> Place | None:
        """What a Host header names, with or without its port; None when it names no bucket."""
        if not (self.domain or self.website):
            return None
        name = _bare(host or "")
        found = [
            Place(bucket, website)
            for bucket, website in (
                (_under(name, self.website), True),
                (_under(name, self.domain), False),
            )
            if bucket is not None and (bucket or website)
        ]
        # One domain may lie under the other: the longer one, which leaves less, is the one meant.
        return min(found, key=lambda place: len(place.bucket), default=None)


NO_HOSTS = Hosts()
"""Every bucket is named by the path."""


def _bare(host: str) -> str:
    """Lower case, without port and without the dot that may end a name."""
    if host.startswith("["):
        return ""
    return host.partition(":")[0].lower().removesuffix(".")


def _under(name: str, domain: str) -> str | None:
    """What stands before the domain; "" for the domain itself, None for every other name."""
    if domain and name.endswith(f".{domain}"):
        return name.removesuffix(f".{domain}")
    return "" if domain and name == domain else None
