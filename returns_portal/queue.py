"""Writing jobs into the queue, taking them, and telling it that they are done, several at a time.

procrastinate takes and finishes jobs one by one, each with a transaction of its own that waits for the disk; under load
that cost more than the jobs. Here a worker takes as many due jobs as it may run at once, and reports those that ended
within a few milliseconds of one another together. Nothing else changes: a job that was taken and not finished stays
`doing` under its worker's name, and is taken over when that worker is gone.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Final

from procrastinate import jobs, manager
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException
from psycopg.errors import RaiseException

BATCH: Final = 8
_GATHER_SECONDS: Final = 0.004
_PATIENCE: Final = (0.1, 0.5, 2.0)
"""Seconds to wait between attempts."""

DEFER: Final = """
    INSERT INTO procrastinate_jobs (queue_name, task_name, args, scheduled_at)
    SELECT 'default', :name, ids, CAST(:at AS timestamptz) FROM jsonb_array_elements(CAST(:ids AS jsonb)) AS ids
"""
"""Writes jobs of one name, as procrastinate does: its triggers tell the workers, and keep the record of events."""

# The order is that in which they fell due. What waits for its time is not even looked at, since the index
# `ix_procrastinate_jobs_due` begins with that. Our jobs have no locks but the queueing lock of periodic ones, which
# lets only one of them into the queue.
_TAKE = """
    WITH due AS (
        SELECT id FROM procrastinate_jobs
        WHERE status = 'todo' AND coalesce(scheduled_at, '-infinity') <= now()
        ORDER BY coalesce(scheduled_at, '-infinity'), id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
    UPDATE procrastinate_jobs j SET status = 'doing', worker_id = %(worker_id)s FROM due WHERE j.id = due.id
    RETURNING j.id, j.status, j.task_name, j.priority, j.lock, j.queueing_lock, j.args, j.scheduled_at, j.queue_name,
        j.attempts, j.worker_id
"""
_DONE = "DELETE FROM procrastinate_jobs WHERE id = ANY(%(ids)s::bigint[]) AND status IN ('todo', 'doing')"
_GIVE_BACK = """
    UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL
    WHERE id = ANY(%(ids)s::bigint[]) AND status = 'doing'
"""


class Batches(manager.JobManager):
    """procrastinate's job manager, taking and deleting in batches."""

    def __init__(self, connector: BaseConnector) -> None:
        """Begin with nothing taken."""
        super().__init__(connector)
        self._taken: deque[jobs.Job] = deque()
        self._done: list[int] = []
        self._reporting: asyncio.Task[None] | None = None

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> jobs.Job | None:
        """The next job that is due, marked as being done by this worker; None where nothing is due.

        Raises:
            ValueError: there is one queue, and it was not named before.
        """
        if queues is not None:
            raise ValueError("there is one queue")
        if not self._taken:
            rows = await self.connector.execute_query_all_async(_TAKE, limit=BATCH, worker_id=worker_id)
            self._taken.extend(sorted((jobs.Job.from_row(row) for row in rows), key=_due))
        return self._taken.popleft() if self._taken else None

    async def finish_job(self, job: jobs.Job, status: jobs.Status, delete_job: bool) -> None:
        """Set a job to its final state; those that are deleted, together."""
        if not delete_job or job.id is None:
            await _patiently(partial(super().finish_job, job, status, delete_job))
            return
        self._done.append(job.id)
        if self._reporting is None:
            self._reporting = asyncio.create_task(self._report())
        await asyncio.shield(self._reporting)

    async def _report(self) -> None:
        await asyncio.sleep(_GATHER_SECONDS)
        ids, self._done, self._reporting = self._done, [], None
        await _patiently(partial(self.connector.execute_query_async, _DONE, ids=ids))

    async def retry_job(self, job: jobs.Job, *args: Any, **when: Any) -> None:  # noqa: ANN401 - procrastinate's
        """Put a job back that is to be tried again."""
        await _patiently(partial(super().retry_job, job, *args, **when))

    async def give_back(self) -> None:
        """Put back what was taken and not begun, for whoever works next."""
        ids: list[Any] = [job.id for job in self._taken]
        self._taken.clear()
        if ids:
            await self.connector.execute_query_async(_GIVE_BACK, ids=ids)


async def _patiently(write: Callable[[], Awaitable[Any]]) -> None:
    """Write down how a job ended, also where the connection is lost just then: nobody takes over from the living.

    What was written although its answer was lost is refused the second time, since the job has ended by then.

    Raises:
        ConnectorException: the database stays away; then the worker ends its round, and begins anew. Or it refuses.
    """
    lost = False
    for seconds in (*_PATIENCE, None):
        try:
            await write()
        except ConnectorException as error:
            refused = isinstance(error.__cause__, RaiseException)
            if refused and lost:
                return
            if refused or seconds is None:
                raise
            lost = True
            await asyncio.sleep(seconds)
        else:
            return


def _due(job: jobs.Job) -> tuple[float, int]:
    return (job.scheduled_at.timestamp() if job.scheduled_at else 0.0, job.id or 0)
