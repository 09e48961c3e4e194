"""Botocore's model of S3, loaded once: the schema of everything this package says and hears."""

import functools

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

# Not of this service: another host name, and buckets of another kind.
_ELSEWHERE = frozenset({"WriteGetObjectResponse", "ListDirectoryBuckets"})


@functools.cache
def service() -> ServiceModel:
    """The whole model."""
    return ServiceModel(Loader().load_service_model("s3", "service-2"), "s3")


@functools.cache
def operation(name: str) -> OperationModel:
    """One operation of it."""
    return service().operation_model(name)


@functools.cache
def operations() -> tuple[OperationModel, ...]:
    """All operations a bucket or an object knows, without the deprecated twins of others."""
    names = service().operation_names
    return tuple(
        operation(name)
        for name in names
        if name not in _ELSEWHERE and not operation(name).deprecated
    )
