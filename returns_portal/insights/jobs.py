"""The jobs of weak points."""

from returns_portal.insights.fitting import measure_all
from returns_portal.jobs import JobContext, job


@job("insights.measure_fit", cron="10 3 * * *")
async def measure_fit(context: JobContext) -> None:
    """Judge anew how products are cut."""
    await measure_all(context.begin)
