"""Primary storage pools and image stores."""

from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Choices, Entry, Fields, Length, Page, Role, Visible, Wire
from nativeapi.listing import Listing, ident, page
from nativeapi.registry import command
from nativeapi.views.pools import (
    ImageStoreView,
    StoragePoolView,
    image_store_views,
    storage_pool_views,
)
from orchestrator.faults import Fault, Kind, invalid
from orchestrator.resources import pools
from orchestrator.resources.pools import BucketAccess
from orchestrator.schema.pools import PoolRole, Provider, StoragePool
from orchestrator.schema.zones import Cluster, Pod, Zone
from orchestrator.workflows import pools as work

_NEEDED = ("accesskey", "secretkey", "bucket")


@command("createStoragePool", role=Role.ADMIN, since="1.0")
class CreateStoragePool:
    """Add primary storage to a cluster. It is Up once it has been connected."""

    zone: Annotated[Visible[Zone], Wire("zoneid"), "the zone it belongs to"]
    pod: Annotated[Visible[Pod], Wire("podid"), "the pod it belongs to"]
    cluster: Annotated[Visible[Cluster], Wire("clusterid"), "the cluster it belongs to"]
    name: Annotated[str, "the pool's name"]
    url: Annotated[str, Length(1, 255), "where it is: SharedMountPoint://localhost/path"]

    def run(self, call: Call) -> StoragePoolView:
        if (self.cluster.zone_id, self.cluster.pod_id) != (self.zone.id, self.pod.id):
            text = "The cluster belongs to another zone or pod."
            raise invalid("cluster", text, field="clusterid")
        pool = pools.create_primary(call.db, self.cluster, name=self.name, url=self.url)
        work.connect(call, pool)
        return storage_pool_views(call, [pool])[0]


@command("listStoragePools", role=Role.ADMIN, since="1.0")
class ListStoragePools(Listing):
    """List primary storage pools."""

    pool: Annotated[Visible[StoragePool] | None, Wire("id"), "the pool"] = None
    name: Annotated[str | None, "the pool's name"] = None
    zone: Annotated[Visible[Zone] | None, Wire("zoneid"), "only pools of this zone"] = None
    cluster: Annotated[Visible[Cluster] | None, Wire("clusterid"), "only pools of this cluster"] = (
        None
    )

    def run(self, call: Call) -> Page[StoragePoolView]:
        found = pools.page(
            call.db,
            self.window(call),
            role=PoolRole.PRIMARY,
            ident=ident(self.pool),
            name=self.name,
            zone_id=ident(self.zone),
            cluster_id=ident(self.cluster),
            keyword=self.keyword,
        )
        return page(call, found, storage_pool_views)


@command("addImageStore", role=Role.ADMIN, since="1.0")
class AddImageStore:
    """Add a store of templates to a zone. It is Up once it has been connected."""

    name: Annotated[str | None, "the store's name; its URL when absent"] = None
    provider: Annotated[str, Choices(*Provider), "who provides it: NFS (a folder) or S3"]
    url: Annotated[
        str | None,
        Length(1, 255),
        "where it is: SharedMountPoint://localhost/path; of S3 the endpoint, if no detail says it",
    ] = None
    zone: Annotated[Visible[Zone], Wire("zoneid"), "the zone it serves"]
    details: Annotated[
        tuple[Entry, ...],
        Fields("key", "value"),
        "of S3: accesskey, secretkey, bucket; perhaps endpoint, usehttps, region",
    ] = ()

    def run(self, call: Call) -> ImageStoreView:
        store = self._bucket(call) if self.provider == Provider.S3 else self._folder(call)
        work.connect(call, store)
        return image_store_views(call, [store])[0]

    def _folder(self, call: Call) -> StoragePool:
        if self.details:
            raise invalid("imagestore", "A folder takes no details.", field="details")
        if self.url is None:
            raise Fault(Kind.MISSING, "imagestore", "url is missing.", field="url")
        name = self.name or self.url[-100:]
        return pools.create_image_store(call.db, self.zone, name=name, url=self.url)

    def _bucket(self, call: Call) -> StoragePool:
        access = _access(self.url, {entry["key"]: entry["value"] for entry in self.details})
        name = self.name or f"{access.endpoint}/{access.bucket}"[-100:]
        return pools.create_bucket_store(call.db, self.zone, name=name, access=access)


def _access(url: str | None, told: dict[str, str]) -> BucketAccess:
    """What the details of an S3 store say.

    Raises:
        Fault: missing or invalid, naming the detail.
    """
    strange = told.keys() - {*_NEEDED, "endpoint", "usehttps", "region"}
    if strange:
        text = f"S3 has no detail {', '.join(sorted(strange))}."
        raise invalid("imagestore", text, field="details")
    lacking = [name for name in _NEEDED if not told.get(name)]
    endpoint = told.get("endpoint") or url
    if lacking or not endpoint:
        text = f"S3 needs the detail {', '.join(lacking or ['endpoint'])}."
        raise Fault(Kind.MISSING, "imagestore", text, field="details")
    if "://" not in endpoint:
        plain = told.get("usehttps", "true").lower() == "false"
        endpoint = f"{'http' if plain else 'https'}://{endpoint}"
    return BucketAccess(
        endpoint,
        told["bucket"],
        told["accesskey"],
        told["secretkey"],
        told.get("region") or "us-east-1",
    )


@command("listImageStores", role=Role.ADMIN, since="1.0")
class ListImageStores(Listing):
    """List stores of templates."""

    store: Annotated[Visible[StoragePool] | None, Wire("id"), "the store"] = None
    name: Annotated[str | None, "the store's name"] = None
    zone: Annotated[Visible[Zone] | None, Wire("zoneid"), "only stores of this zone"] = None

    def run(self, call: Call) -> Page[ImageStoreView]:
        found = pools.page(
            call.db,
            self.window(call),
            role=PoolRole.IMAGE,
            ident=ident(self.store),
            name=self.name,
            zone_id=ident(self.zone),
            keyword=self.keyword,
        )
        return page(call, found, image_store_views)
