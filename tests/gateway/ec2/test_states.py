"""Every state of the cloud has its word in EC2."""

import pytest

from gateway.ec2.views import instances, volumes
from orchestrator.schema.instances import InstanceState
from orchestrator.schema.volumes import VolumeState


@pytest.mark.parametrize("state", list(InstanceState))
def test_every_state_of_an_instance_has_a_word(state: InstanceState) -> None:
    assert instances.state(state)["Name"]


@pytest.mark.parametrize("state", list(VolumeState))
def test_every_state_of_a_volume_has_a_word(state: VolumeState) -> None:
    assert (
        volumes.volume(
            {
                "id": "01234567-89ab-8cde-8f00-70696c657573",
                "size": 1,
                "zonename": "zone",
                "created": "2026-01-01T00:00:00+0000",
                "state": state,
            },
            "standard",
        )["State"]
        != "error"
    )
