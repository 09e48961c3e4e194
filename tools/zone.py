"""What the first zone consists of, as parameters of native commands.

Addresses: 10.44/24 is the hosts' own, 10.46/16 the guests'. Both live in network namespaces of this
cloud alone, so that clouds side by side may use the same. The memory sizes suit emulated guests:
the tiny image needs 96 MB.
"""

GATEWAY = "10.46.0.1"
SIMULATED_HOSTS = 4
NETWORK_OFFERING = "DefaultSharedNetworkOfferingWithSGService"

ZONE: dict[str, object] = {
    "name": "us-east-1a",
    "networktype": "Basic",
    "securitygroupenabled": True,
    "dns1": GATEWAY,
    "internaldns1": GATEWAY,
}
POD: dict[str, object] = {
    "name": "pod1",
    "gateway": "10.44.0.1",
    "netmask": "255.255.255.0",
    "startip": "10.44.0.10",
    "endip": "10.44.0.250",
}
CLUSTER: dict[str, object] = {
    "clustername": "cluster1",
    "hypervisor": "KVM",
    "clustertype": "CloudManaged",
}
# No agent listens on this machine: the drivers work in the orchestrator's process, without a login.
HOST: dict[str, object] = {"hypervisor": "KVM", "username": "root", "password": "none"}
NETWORK: dict[str, object] = {"name": "guests", "displaytext": "Guest network of the zone"}
RANGE: dict[str, object] = {
    "forvirtualnetwork": False,
    "gateway": GATEWAY,
    "netmask": "255.255.0.0",
    "startip": "10.46.0.10",
    "endip": "10.46.255.250",
}
# Templates come over HTTP from this cloud's own object store.
CONFIGURATION = {"secstorage.allowed.internal.sites": "127.0.0.0/8"}

# What the gateway answers, of a cloud that is new; later the operator's word holds.
SWITCHES = ("enable.ec2.api", "enable.s3.api")


def hosts(hypervisor: str) -> dict[str, str]:
    """Names and URLs of the hosts: this machine, or some simulated ones."""
    if hypervisor == "libvirt":
        return {"localhost": "http://localhost"}
    return {f"sim{n}": f"http://sim{n}" for n in range(1, SIMULATED_HOSTS + 1)}


def _size(name: str, cpus: int, mhz: int, megabytes: int) -> dict[str, object]:
    return {
        "name": name,
        "displaytext": f"{cpus} x {mhz} MHz, {megabytes} MB",
        "cpunumber": cpus,
        "cpuspeed": mhz,
        "memory": megabytes,
    }


SIZES = (
    _size("t2.nano", 1, 250, 128),
    _size("t2.micro", 1, 500, 256),
    _size("m1.small", 1, 500, 512),
    _size("m1.medium", 1, 1000, 1024),
    _size("m1.large", 2, 1000, 2048),
)
DISKS: tuple[dict[str, object], ...] = tuple(
    {"name": name, "displaytext": f"{name}: any size", "customized": True}
    for name in ("gp2", "gp3", "standard", "io1", "Custom")
)
