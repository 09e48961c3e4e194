"""The reconciler: what it sees, what it concludes, and that mending is a workflow."""

from datetime import timedelta

from sqlalchemy import select, update

from orchestrator import workflows
from orchestrator.driver.ports import MachineFacts, NetworkFacts, Power, Transient
from orchestrator.reconcile.hosts import Observation
from orchestrator.reconcile.instances import Drift, Known, differences
from orchestrator.reconcile.loop import Loop
from orchestrator.resources import configuration
from orchestrator.schema.base import now
from orchestrator.schema.instances import Instance, InstanceState
from orchestrator.schema.jobs import Job
from orchestrator.schema.zones import Host, HostState
from tests.orchestrator.cloud import Cloud

RUNNING = MachineFacts(Power.RUNNING, frozenset())
EMPTY = NetworkFacts(frozenset(), frozenset(), frozenset())


def _seen(**machines: MachineFacts) -> Observation:
    return Observation("here", now(), machines, EMPTY)


def test_a_running_instance_that_is_not_there_is_powered_off() -> None:
    """Pure: rows and an observation in, drift out."""
    known = [Known("a", InstanceState.RUNNING, "here")]
    assert differences(_seen(), known) == {"a": Drift.POWERED_OFF}
    stopped = MachineFacts(Power.STOPPED, frozenset())
    assert Drift.POWERED_OFF in differences(_seen(a=stopped), known).values()
    assert differences(_seen(a=RUNNING), known) == {}


def test_a_machine_whose_instance_is_stopped_or_elsewhere_is_left_over() -> None:
    """What should not be there is cleared away."""
    rows = [
        Known("a", InstanceState.STOPPED, None),
        Known("b", InstanceState.RUNNING, "elsewhere"),
    ]
    assert differences(_seen(a=RUNNING, b=RUNNING), rows) == {
        "a": Drift.LEFT_OVER,
        "b": Drift.LEFT_OVER,
    }


def _pass(cloud: Cloud) -> None:
    Loop(cloud.sessions, cloud.fleet, 1).once()
    cloud.run()


def _host_of(cloud: Cloud, ident: str) -> str:
    with cloud.sessions.read() as db:
        return db.get_one(Instance, ident).host_id or ""


def _state(cloud: Cloud, ident: str) -> str:
    with cloud.sessions.read() as db:
        return db.get_one(Instance, ident).state


def test_a_guest_that_powers_itself_off_is_stopped_and_frees_its_host(cloud: Cloud) -> None:
    """As if its owner had stopped it."""
    ident = cloud.running()
    cloud.world.power_off(_host_of(cloud, ident), ident)
    _pass(cloud)
    assert _state(cloud, ident) == InstanceState.STOPPED
    assert cloud.audit() == []


def test_a_silent_host_is_disconnected_and_its_instances_stay_as_they_were(cloud: Cloud) -> None:
    """Silence is unknown, never stopped."""
    ident = cloud.running()
    host = _host_of(cloud, ident)
    cloud.world.troubles.fail(host, "observe", Transient("no answer"), times=3)
    Loop(cloud.sessions, cloud.fleet, 1).once()
    with cloud.sessions.read() as db:
        assert db.get_one(Host, host).state == HostState.DISCONNECTED
    assert _state(cloud, ident) == InstanceState.RUNNING
    cloud.world.troubles.heal(host)
    _pass(cloud)
    with cloud.sessions.read() as db:
        assert db.get_one(Host, host).state == HostState.UP


def test_a_host_that_lost_its_networks_is_told_again(cloud: Cloud) -> None:
    """After a reboot of the host's network, say."""
    ident = cloud.running()
    cloud.world.lose_networks(_host_of(cloud, ident))
    assert cloud.audit() != []
    _pass(cloud)
    assert cloud.audit() == []


def test_an_instance_that_changed_after_the_look_is_left_alone(cloud: Cloud) -> None:
    """A stale observation proves nothing."""
    ident = cloud.running()
    host = _host_of(cloud, ident)
    cloud.world.troubles.hide_machine(host, ident)
    with cloud.sessions.write() as db:
        later = now() + timedelta(minutes=1)
        db.execute(update(Instance).where(Instance.id == ident).values(changed=later))
    _pass(cloud)
    assert _state(cloud, ident) == InstanceState.RUNNING


def test_destroyed_instances_are_expunged_after_the_delay_and_then_forgotten(
    cloud: Cloud,
) -> None:
    """The delay and the memory are configuration."""
    ident = cloud.running()
    cloud.instance(ident, workflows.instances.destroy, expunge=False)
    cloud.run()
    _pass(cloud)
    assert _state(cloud, ident) == InstanceState.DESTROYED
    assert cloud.world.snapshot().pools
    with cloud.sessions.write() as db:
        configuration.change(db, "expunge.delay", "0")
        configuration.change(db, "expunge.memory", "0")
    _pass(cloud)
    assert cloud.audit() == []
    _pass(cloud)
    assert cloud.all(Instance) == []


def test_finished_jobs_are_forgotten_in_time(cloud: Cloud) -> None:
    """Their journal goes with them."""
    cloud.running()
    with cloud.sessions.write() as db:
        configuration.change(db, "job.expire.minutes", "0")
    _pass(cloud)
    with cloud.sessions.read() as db:
        assert list(db.scalars(select(Job))) == []
