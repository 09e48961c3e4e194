"""Templates in an image store that is a bucket: the same steps, crashed at the same points."""

import pytest

from orchestrator import workflows
from orchestrator.driver.ports import BucketPool, Refused
from orchestrator.engine import lease
from orchestrator.resources import pools
from orchestrator.resources.pools import BucketAccess
from orchestrator.schema.jobs import JobState
from orchestrator.schema.pools import StoragePool
from orchestrator.schema.templates import Template
from orchestrator.schema.zones import Zone
from tests.orchestrator.cloud import Asking, Cloud
from tests.orchestrator.workflows.scenarios import SCENARIOS
from tests.orchestrator.workflows.test_every_workflow import Crash, Failing, Saboteur

ACCESS = BucketAccess("http://127.0.0.1:7080", "templates", "key", "secret", "eu-west-1")


@pytest.fixture
def bucket(cloud: Cloud) -> str:
    """The id of a store in a bucket, connected."""

    def act(asking: Asking) -> str:
        zone = asking.db.query(Zone).one()
        store = pools.create_bucket_store(asking.db, zone, name="bucket", access=ACCESS)
        workflows.pools.connect(asking, store)
        return store.id

    ident: str = cloud.ask(act)
    cloud.run()
    return ident


def _crash_everywhere(cloud: Cloud) -> int:
    """Run what there is, crashing at every point and going on; how often it crashed."""
    crashes = 0
    while True:
        try:
            cloud.run(Saboteur(1 + crashes // 2, Crash()))
        except Crash:
            crashes += 1
            lease.forsake(cloud.sessions, "test")
        else:
            return crashes


def test_drivers_are_told_where_the_bucket_is(cloud: Cloud, bucket: str) -> None:
    with cloud.sessions.read() as db:
        told = pools.port(db.get_one(StoragePool, bucket))
    assert told == BucketPool(
        bucket, "templates", "http://127.0.0.1:7080", "eu-west-1", "key", "secret"
    )


@pytest.mark.parametrize("name", ["template.register", "template.delete", "template.forget"])
def test_its_templates_come_and_go_over_crashes(cloud: Cloud, bucket: str, name: str) -> None:
    scenario = SCENARIOS[name]
    subject = scenario.prepare(cloud)
    job = scenario.request(cloud, subject).id
    assert _crash_everywhere(cloud) > 0
    assert cloud.job(job).state == JobState.DONE
    assert scenario.done(cloud, subject)
    assert cloud.audit() == []
    made = [row for row in cloud.all(Template) if row.name != "tiny"]
    assert {row.store_id for row in made} <= {bucket}


def test_a_refused_registration_leaves_nothing_in_the_bucket(cloud: Cloud, bucket: str) -> None:
    before = cloud.world.snapshot()
    job = SCENARIOS["template.register"].request(cloud, "").id
    cloud.run(Failing("ready", "commit", Refused("no"), 99))
    assert cloud.job(job).state == JobState.FAILED
    assert cloud.world.snapshot() == before
    assert cloud.audit() == []
