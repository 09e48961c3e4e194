"""Whatever is sent as a parameter of whatever command, the answer is a refusal or a success.

An answer of 530 would be a bug of ours. What the requests do to the cloud does not matter.
"""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nativeapi.registry import Command, Kind, Parameter, load
from tests.nativeapi.site import Site

# Changing keys or page sizes would break the requests that follow, not the command.
_LEFT_OUT = {"registerUserKeys", "updateConfiguration"}
COMMANDS = [entry for name, entry in sorted(load().items()) if name not in _LEFT_OUT]

_ODD = st.sampled_from(
    (
        *("", " ", "-1", "0", "1", "true", "é", "0.0.0.0/0", "10.0.0.1", "255.255.255.0"),
        *("9" * 40, "x" * 300, "a,b,,c", "%", "_", "'", "tcp", "QCOW2", "KVM", "Basic", "default"),
        *("http://x/y.qcow2", "http://[", "http://:99999/x", "file:///x", "ssh-rsa AAAA", "\n"),
        *("2024-01-01", "2024-01-01T00:00:00Z", "self", "untagged", "CloudManaged", "NFS"),
    )
)
_ANY = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
_NUMBERS = st.integers(-(2**70), 2**70).map(str) | st.sampled_from(["1", "2", "22", "-1"])


def _ids(site: Site) -> dict[str, list[str]]:
    """Ids of some of everything there is, by the name of the kind of row."""
    asked = {
        "Zone": ("listZones", "zone"),
        "Pod": ("listPods", "pod"),
        "Cluster": ("listClusters", "cluster"),
        "Host": ("listHosts", "host"),
        "StoragePool": ("listStoragePools", "storagepool"),
        "Network": ("listNetworks", "network"),
        "ServiceOffering": ("listServiceOfferings", "serviceoffering"),
        "DiskOffering": ("listDiskOfferings", "diskoffering"),
        "OsType": ("listOsTypes", "ostype"),
        "NetworkOffering": ("listNetworkOfferings", "networkoffering"),
        "Domain": ("listDomains", "domain"),
        "Job": ("listAsyncJobs", "asyncjobs"),
    }
    rows = {kind: site.call("admin", name).get(key, []) for kind, (name, key) in asked.items()}
    templates = site.call("admin", "listTemplates", templatefilter="all")
    rows["Template"] = templates.get("template", [])
    return {kind: [x.get("id") or x["jobid"] for x in found] for kind, found in rows.items()}


def _value(parameter: Parameter, ids: dict[str, list[str]]) -> st.SearchStrategy[str]:
    if parameter.row and ids.get(parameter.row.__name__):
        return st.sampled_from(ids[parameter.row.__name__]) | _ODD
    if Kind.INTEGER in (parameter.kind, parameter.item) or parameter.kind is Kind.LONG:
        return _NUMBERS | _ODD
    return _ODD | _ANY


def _values(entry: Command, ids: dict[str, list[str]]) -> st.SearchStrategy[dict[str, str]]:
    wires = {f"{p.wire}[0].group" if p.kind is Kind.MAP else p.wire: p for p in entry.parameters}
    needed = {name: _value(p, ids) for name, p in wires.items() if p.required}
    others = {name: _value(p, ids) for name, p in wires.items() if not p.required}
    return st.fixed_dictionaries(needed, optional=others)


@pytest.mark.parametrize("entry", COMMANDS, ids=[entry.name for entry in COMMANDS])
def test_no_input_is_a_bug(entry: Command, shared: Site) -> None:
    ids = _ids(shared)

    @settings(
        max_examples=20,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(_values(entry, ids))
    def check(params: dict[str, str]) -> None:
        told: dict[str, Any] = dict(params)
        answer = shared.send(shared.signed("admin", entry.name, **told))
        assert answer.status_code != 530, (params, json.loads(answer.data))
        assert len(json.loads(answer.data)) == 1

    check()
