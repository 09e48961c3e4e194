"""Key pairs. Natively they have a name and a fingerprint; their EC2 id is derived from these."""

from gateway import ids
from gateway.ec2.ask import Ask
from gateway.ec2.faults import Ec2Fault, missing, not_found
from gateway.ec2.listing import Listing
from gateway.ec2.registry import Reply, operation
from gateway.native import NativeFault
from gateway.native_calls import KeyPair


@operation("CreateKeyPair", fixed={"KeyType": "rsa", "KeyFormat": "pem"})
def create_key_pair(ask: Ask, key_name: str) -> Reply:
    """Make a key pair; the private half is in this answer and nowhere else."""
    pair = ask.native.create_ssh_key_pair(name=key_name)
    return {**_pair(ask, pair), "KeyMaterial": pair["privatekey"]}


@operation("ImportKeyPair")
def import_key_pair(ask: Ask, key_name: str, public_key_material: bytes) -> Reply:
    """Register the public half of a key pair that the caller made."""
    try:
        text = public_key_material.decode("ascii")
    except UnicodeDecodeError:
        raise Ec2Fault(
            "InvalidKey.Format", "Key is not in valid OpenSSH public key format."
        ) from None
    return _pair(ask, ask.native.register_ssh_key_pair(name=key_name, publickey=text))


@operation("DeleteKeyPair")
def delete_key_pair(ask: Ask, key_name: str | None = None, key_pair_id: str | None = None) -> Reply:
    """Forget a key pair; one that is not there is forgotten already."""
    if key_name is None and key_pair_id is None:
        raise missing("KeyName")
    pairs = _pairs(ask)
    for pair in pairs:
        if key_name in (None, pair["KeyName"]) and key_pair_id in (None, pair["KeyPairId"]):
            _forget(ask, pair["KeyName"])
            return {"Return": True, "KeyPairId": pair["KeyPairId"]}
    return {"Return": True}


@operation(
    "DescribeKeyPairs",
    fixed={"IncludePublicKey": False},
    listing=Listing(
        items=("KeyPairs",),
        key="KeyName",
        filters={
            "key-name": "KeyName",
            "key-pair-id": "KeyPairId",
            "fingerprint": "KeyFingerprint",
        },
    ),
)
def describe_key_pairs(
    ask: Ask, key_names: list[str] | None = None, key_pair_ids: list[str] | None = None
) -> Reply:
    """The caller's key pairs."""
    pairs = _pairs(ask)
    names = {pair["KeyName"] for pair in pairs}
    for name in key_names or ():
        if name not in names:
            raise Ec2Fault("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist.")
    known = {pair["KeyPairId"] for pair in pairs}
    for key in key_pair_ids or ():
        if key not in known:
            raise not_found("key", key)
    wanted = [
        pair
        for pair in pairs
        if (not key_names or pair["KeyName"] in key_names)
        and (not key_pair_ids or pair["KeyPairId"] in key_pair_ids)
    ]
    return {"KeyPairs": wanted}


def _forget(ask: Ask, name: str) -> None:
    try:
        ask.native.delete_ssh_key_pair(name=name)
    except NativeFault as fault:
        if (fault.kind, fault.subject) != ("not_found", "keypair"):
            raise


def _pairs(ask: Ask) -> list[Reply]:
    return [{**_pair(ask, row), "KeyType": "rsa"} for row in ask.native.list_ssh_key_pairs()]


def _pair(ask: Ask, pair: KeyPair) -> Reply:
    fingerprint = pair["fingerprint"]
    return {
        "KeyName": pair["name"],
        "KeyFingerprint": fingerprint,
        "KeyPairId": ids.derived("key", ask.caller.account_id, fingerprint),
    }
