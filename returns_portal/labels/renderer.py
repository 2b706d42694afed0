"""Labels made in processes of their own; the process that asks does not load what makes them."""

from returns_portal.documents.pool import DocumentPool
from returns_portal.labels.content import LabelContent, Size


def _warm_up() -> None:
    # Here, in the document process: loading the press takes a web process half a second and sixty megabytes.
    from returns_portal.labels.render import warm_up  # noqa: PLC0415

    warm_up()


def _render(content: LabelContent, size: Size) -> bytes:
    from returns_portal.labels.render import render_label  # noqa: PLC0415 - as above

    return render_label(content, size)


class LabelRenderer:
    """Makes labels in processes of their own; see `DocumentPool` for what they may take."""

    def __init__(self, processes: int = 1, *, seconds: float = 10, waiting: int = 64) -> None:
        """Say how many processes; they begin with `start`."""
        self._pool = DocumentPool(processes, _warm_up, seconds=seconds, waiting=waiting)

    @property
    def pool(self) -> DocumentPool:
        """The processes, which make the portal's other documents too."""
        return self._pool

    async def start(self) -> None:
        """Start the processes, without waiting until they are warm."""
        await self._pool.start()

    async def stop(self) -> None:
        """End the processes."""
        await self._pool.stop()

    async def render(self, content: LabelContent, size: Size) -> bytes:
        """The label as PDF.

        Raises:
            DocumentBusyError: too many labels are waiting.
            DocumentTimeoutError: it took too long.
            DocumentError: its process died.
        """
        return await self._pool.run(_render, content, size)
