"""Jobs: what became of the work that asynchronous commands started."""

from datetime import datetime
from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Owned, Page, Role, Wire
from nativeapi.listing import OwnedListing, page
from nativeapi.registry import command
from nativeapi.views.jobs import JobView, job_views
from orchestrator.resources import jobs
from orchestrator.schema.jobs import Job


@command("queryAsyncJobResult", role=Role.USER, reads=True, since="1.0", key="")
class QueryAsyncJobResult:
    """Ask how a job stands, and for its result once it has ended."""

    job: Annotated[Owned[Job], Wire("jobid"), "the job"]

    def run(self, call: Call) -> JobView:
        return job_views(call, [self.job])[0]


@command("listAsyncJobs", role=Role.USER, since="1.0")
class ListAsyncJobs(OwnedListing):
    """List jobs, newest first."""

    start_date: Annotated[datetime | None, "only jobs that were started since then"] = None

    def run(self, call: Call) -> Page[JobView]:
        found = jobs.page(call.db, self.scope(call), self.window(call), since=self.start_date)
        return page(call, found, job_views)
