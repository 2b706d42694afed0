"""The queue's connections are lost just when the end of a job is to be written down."""

from collections.abc import Awaitable, Callable

import pytest
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from returns_portal import clock
from returns_portal.jobs import defer, queue_app
from tests.portal import Portal

pytestmark = pytest.mark.anyio

CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'returns-portal queue'
"""


async def done(queue: JobManager, job: Job) -> None:
    await queue.finish_job(job, Status.SUCCEEDED, delete_job=True)


async def failed(queue: JobManager, job: Job) -> None:
    await queue.finish_job(job, Status.FAILED, delete_job=False)


async def again(queue: JobManager, job: Job) -> None:
    await queue.retry_job(job, retry_at=clock.now())


@pytest.mark.parametrize(("end", "left"), [(done, []), (failed, ["failed"]), (again, ["todo"])])
async def test_it_is_written_by_another(
    portal: Portal, end: Callable[[JobManager, Job], Awaitable[None]], left: list[str]
) -> None:
    """Else the job would be one that is being done for as long as its worker lives."""
    app = queue_app(portal._url, portal.context)
    async with app.open_async():
        queue = app.job_manager
        worker = await queue.register_worker()
        async with portal.begin() as db:
            await defer(db, "refunds.poll")
        job = await queue.fetch_job(None, worker)
        assert job is not None
        assert len(await portal.rows(CUT)) >= 1
        await end(queue, job)
    assert [row.status for row in await portal.rows("SELECT status FROM procrastinate_jobs")] == left
