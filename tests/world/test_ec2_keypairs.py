"""Key pairs through boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.world.world import World


@pytest.fixture(scope="module")
def alice(world: World) -> Any:
    return world.aws("ec2", world.account("alice"))


def refused(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def public_key() -> bytes:
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)


def test_a_made_key_pair_is_handed_out_once(alice: Any) -> None:
    made = alice.create_key_pair(KeyName="made")
    assert serialization.load_pem_private_key(made["KeyMaterial"].encode(), None)
    [shown] = alice.describe_key_pairs(KeyNames=["made"])["KeyPairs"]
    assert shown["KeyPairId"] == made["KeyPairId"]
    assert shown["KeyFingerprint"] == made["KeyFingerprint"]
    assert "KeyMaterial" not in shown
    assert refused(alice.create_key_pair, KeyName="made") == "InvalidKeyPair.Duplicate"


def test_a_public_key_is_imported(alice: Any) -> None:
    material = public_key()
    made = alice.import_key_pair(KeyName="mine", PublicKeyMaterial=material)
    by_id = alice.describe_key_pairs(KeyPairIds=[made["KeyPairId"]])["KeyPairs"]
    assert [pair["KeyName"] for pair in by_id] == ["mine"]
    twice = {"KeyName": "mine", "PublicKeyMaterial": public_key()}
    assert refused(alice.import_key_pair, **twice) == "InvalidKeyPair.Duplicate"


@pytest.mark.parametrize("material", [b"nonsense", b"\xff\xfe", b"ssh-rsa AAAA x"])
def test_what_is_no_key_is_refused(alice: Any, material: bytes) -> None:
    params = {"KeyName": "bad", "PublicKeyMaterial": material}
    assert refused(alice.import_key_pair, **params) == "InvalidKey.Format"


def test_deleting_succeeds_twice(alice: Any) -> None:
    made = alice.create_key_pair(KeyName="gone")
    alice.delete_key_pair(KeyName="gone")
    alice.delete_key_pair(KeyName="gone")
    alice.delete_key_pair(KeyPairId=made["KeyPairId"])
    assert refused(alice.describe_key_pairs, KeyNames=["gone"]) == "InvalidKeyPair.NotFound"
    assert refused(alice.delete_key_pair) == "MissingParameter"


def test_a_key_pair_is_deleted_by_its_id(alice: Any) -> None:
    made = alice.create_key_pair(KeyName="by-id")
    assert alice.delete_key_pair(KeyPairId=made["KeyPairId"])["KeyPairId"] == made["KeyPairId"]
    assert refused(alice.describe_key_pairs, KeyNames=["by-id"]) == "InvalidKeyPair.NotFound"


def test_filters_choose_key_pairs(alice: Any) -> None:
    for name in ("filter-a", "filter-b"):
        alice.create_key_pair(KeyName=name)
    found = alice.describe_key_pairs(Filters=[{"Name": "key-name", "Values": ["filter-?"]}])
    assert [pair["KeyName"] for pair in found["KeyPairs"]] == ["filter-a", "filter-b"]


def test_key_pairs_are_the_accounts_own(world: World, alice: Any) -> None:
    alice.create_key_pair(KeyName="private")
    bob = world.aws("ec2", world.account("bob"))
    assert bob.describe_key_pairs()["KeyPairs"] == []
    bob.delete_key_pair(KeyName="private")
    assert alice.describe_key_pairs(KeyNames=["private"])["KeyPairs"]


def test_a_dry_run_makes_no_key(alice: Any) -> None:
    assert refused(alice.create_key_pair, KeyName="dry", DryRun=True) == "DryRunOperation"
    assert refused(alice.describe_key_pairs, KeyNames=["dry"]) == "InvalidKeyPair.NotFound"


def test_only_rsa_pem_keys_are_made(alice: Any) -> None:
    params = {"KeyName": "ed", "KeyType": "ed25519"}
    assert refused(alice.create_key_pair, **params) == "UnsupportedOperation"
    assert alice.create_key_pair(KeyName="ed", KeyType="rsa", KeyFormat="pem")["KeyMaterial"]
