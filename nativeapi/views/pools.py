"""Primary storage pools and image stores on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import View
from nativeapi.references import noun
from orchestrator.resources import pools, zones
from orchestrator.schema.pools import Provider, StoragePool


class StoragePoolView(View, noun="storagepool"):
    """A primary storage pool."""

    id: Annotated[str, "the pool's id"]
    zoneid: Annotated[str, "the zone's id"]
    zonename: Annotated[str, "the zone's name"]
    podid: Annotated[str | None, "the pod's id"]
    podname: Annotated[str | None, "the pod's name"]
    name: Annotated[str, "the pool's name"]
    ipaddress: Annotated[str, "where it is"]
    path: Annotated[str, "the folder on the host"]
    created: Annotated[datetime, "when it was added"]
    type: Annotated[str, "how hosts reach it"]
    clusterid: Annotated[str | None, "the cluster's id"]
    clustername: Annotated[str | None, "the cluster's name"]
    disksizetotal: Annotated[int, "how much it holds, in bytes"]
    disksizeused: Annotated[int, "how much of it is taken, in bytes"]
    state: Annotated[str, "whether it can be used: Up, Initialized, Error"]


class ImageStoreView(View, noun="imagestore"):
    """A store of templates."""

    id: Annotated[str, "the store's id"]
    name: Annotated[str, "the store's name"]
    zoneid: Annotated[str, "the zone's id"]
    zonename: Annotated[str, "the zone's name"]
    url: Annotated[str, "where it is"]
    protocol: Annotated[str, "how it is reached"]
    providername: Annotated[str, "who provides it"]
    scope: Annotated[str, "whom it serves: ZONE"]
    state: Annotated[str, "whether it can be used: Up, Initialized, Error"]


def storage_pool_views(call: Call, rows: Sequence[StoragePool]) -> list[StoragePoolView]:
    """Primary storage pools, with where they are."""
    names = zones.names(call.db, {row.zone_id for row in rows})
    pods = zones.pods(call.db, {row.pod_id for row in rows})
    clusters = zones.clusters(call.db, {row.cluster_id for row in rows})
    return [
        StoragePoolView(
            id=row.id,
            zoneid=row.zone_id,
            zonename=names[row.zone_id],
            podid=row.pod_id,
            podname=pods[row.pod_id].name if row.pod_id else None,
            name=row.name,
            ipaddress="localhost",
            path=row.path,
            created=row.created,
            type="SharedMountPoint",
            clusterid=row.cluster_id,
            clustername=clusters[row.cluster_id].name if row.cluster_id else None,
            disksizetotal=row.capacity,
            disksizeused=row.taken,
            state=row.state,
        )
        for row in rows
    ]


def image_store_views(call: Call, rows: Sequence[StoragePool]) -> list[ImageStoreView]:
    """Image stores, with their zones."""
    names = zones.names(call.db, {row.zone_id for row in rows})
    return [
        ImageStoreView(
            id=row.id,
            name=row.name,
            zoneid=row.zone_id,
            zonename=names[row.zone_id],
            url=row.url,
            protocol="s3" if row.provider == Provider.S3 else "file",
            providername=row.provider,
            scope="ZONE",
            state=row.state,
        )
        for row in rows
    ]


noun(StoragePool, StoragePoolView, "storagepool", visible=pools.find, views=storage_pool_views)
