"""Whatever is sent as a parameter of whatever command, the answer is a refusal or a success.

An answer of 530 would be a bug of ours. What the requests do to the cloud does not matter.
"""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nativeapi.registry import Command, Kind, load
from tests.nativeapi.site import Site

# Changing keys or page sizes would break the requests that follow, not the command.
_LEFT_OUT = {"registerUserKeys", "updateConfiguration"}
COMMANDS = [entry for name, entry in sorted(load().items()) if name not in _LEFT_OUT]

_ODD = st.sampled_from(
    ["", " ", "-1", "0", "1", "true", "é", "0.0.0.0/0", "10.0.0.1", "255.255.255.0", "default"]
    + ["9" * 40, "x" * 300, "a,b,,c", "%", "_", "'", "tcp", "QCOW2", "http://x/y.qcow2", "Basic"]
    + ["http://[", "http://:99999/x", "ssh-rsa AAAA", "\n", "2024-01-01", "2024-01-01T00:00:00Z"]
)
_ANY = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
_NUMBERS = st.integers(-(2**70), 2**70).map(str) | st.sampled_from(["1", "2", "22", "-1"])


def _ids(site: Site) -> list[str]:
    """Ids of some of everything there is."""
    asked = (
        ("listZones", "zone"),
        ("listPods", "pod"),
        ("listClusters", "cluster"),
        ("listHosts", "host"),
        ("listStoragePools", "storagepool"),
        ("listNetworks", "network"),
        ("listServiceOfferings", "serviceoffering"),
        ("listDiskOfferings", "diskoffering"),
        ("listOsTypes", "ostype"),
        ("listNetworkOfferings", "networkoffering"),
        ("listAsyncJobs", "asyncjobs"),
        ("listDomains", "domain"),
    )
    answers = [site.call("admin", name, listall=True).get(key) for name, key in asked[-2:]]
    answers += [site.call("admin", name).get(key) for name, key in asked[:-2]]
    rows = [row for answer in answers for row in (answer or [])]
    return [row.get("id") or row["jobid"] for row in rows]


def _values(entry: Command, ids: list[str]) -> st.SearchStrategy[dict[str, str]]:
    fitting = {Kind.UUID: st.sampled_from(ids), Kind.INTEGER: _NUMBERS, Kind.LONG: _NUMBERS}
    optional: dict[str, st.SearchStrategy[str]] = {}
    for parameter in entry.parameters:
        name = f"{parameter.wire}[0].group" if parameter.kind is Kind.MAP else parameter.wire
        kind = parameter.item or parameter.kind
        optional[name] = fitting.get(kind, _ODD) | _ODD | _ANY
    return st.fixed_dictionaries({}, optional=optional)


@pytest.mark.parametrize("entry", COMMANDS, ids=[entry.name for entry in COMMANDS])
def test_no_input_is_a_bug(entry: Command, shared: Site) -> None:
    ids = _ids(shared)

    @settings(
        max_examples=12,
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
