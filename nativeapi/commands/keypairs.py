"""SSH key pairs."""

from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Done, Length, Page, Role
from nativeapi.listing import OwnedListing, page
from nativeapi.ownership import OnBehalf
from nativeapi.registry import command
from nativeapi.views.keypairs import KeyPairView, key_pair_view, key_pair_views
from orchestrator.resources import keypairs


@command("createSSHKeyPair", role=Role.USER, since="1.0", key="keypair")
class CreateSSHKeyPair(OnBehalf):
    """Make a key pair; the private half is in this answer and nowhere else."""

    name: Annotated[str, "the key pair's name"]

    def run(self, call: Call) -> KeyPairView:
        pair, private = keypairs.create(call.db, self.owner(call), self.name)
        return key_pair_view(pair, private)


@command("registerSSHKeyPair", role=Role.USER, since="1.0", key="keypair")
class RegisterSSHKeyPair(OnBehalf):
    """Register the public half of a key pair that the user made."""

    name: Annotated[str, "the key pair's name"]
    public_key: Annotated[str, Length(1, 5120), "the public key, in OpenSSH or PEM form"]

    def run(self, call: Call) -> KeyPairView:
        pair = keypairs.register(call.db, self.owner(call), self.name, self.public_key)
        return key_pair_view(pair)


@command("deleteSSHKeyPair", role=Role.USER, since="1.0")
class DeleteSSHKeyPair(OnBehalf):
    """Forget a key pair; instances that have the key keep it."""

    name: Annotated[str, "the key pair's name"]

    def run(self, call: Call) -> Done:
        keypairs.delete(call.db, self.owner(call), self.name)
        return Done()


@command("listSSHKeyPairs", role=Role.USER, since="1.0")
class ListSSHKeyPairs(OwnedListing):
    """List key pairs."""

    name: Annotated[str | None, "the key pair's name"] = None
    fingerprint: Annotated[str | None, "the key pair's fingerprint"] = None

    def run(self, call: Call) -> Page[KeyPairView]:
        found = keypairs.page(
            call.db,
            self.scope(call),
            self.window(call),
            name=self.name,
            fingerprint=self.fingerprint,
            keyword=self.keyword,
        )
        return page(call, found, key_pair_views)
