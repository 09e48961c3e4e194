"""Durable work, noun by noun. Importing this package registers every workflow."""

from orchestrator.workflows import (
    hosts,
    instances,
    pools,
    securitygroups,
    templates,
    volumes,
)

__all__ = ["hosts", "instances", "pools", "securitygroups", "templates", "volumes"]
