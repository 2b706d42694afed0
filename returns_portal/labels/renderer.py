"""Labels made in processes of their own; the process that asks does not load what makes them."""

import os
import sys
from collections.abc import Sequence
from typing import Final

from returns_portal.documents.pool import DocumentPool
from returns_portal.labels.content import LabelContent, Size


def _warm_up() -> None:
    # Here, in the document process: loading the press takes a web process half a second and sixty megabytes.
    from returns_portal.labels.render import warm_up  # noqa: PLC0415

    warm_up()


def _render(content: LabelContent, size: Size) -> bytes:
    from returns_portal.labels.render import render_label  # noqa: PLC0415 - as above

    return render_label(content, size)


def _step_back_and_warm_up() -> None:
    if sys.platform != "win32":
        os.nice(_MODESTY)
    _warm_up()


def _gather(pieces: Sequence[LabelContent | bytes], size: Size) -> bytes:
    from returns_portal.labels.gathering import gather  # noqa: PLC0415 - as above

    return gather(pieces, size)


def _bind(parts: Sequence[str], target: str) -> int:
    from returns_portal.labels.gathering import bind  # noqa: PLC0415 - as above

    return bind(parts, target)


_MODESTY: Final = 10
"""By how much processes that nobody waits for stand back behind the others of the machine."""
_LONG: Final = 300.0
"""Seconds for many labels at once."""


class LabelRenderer:
    """Makes labels in processes of their own; see `DocumentPool` for what they may take.

    Those of a `modest` one stand back behind all others on the machine: what a customer waits for comes first.
    """

    def __init__(self, processes: int = 1, *, seconds: float = 10, waiting: int = 64, modest: bool = False) -> None:
        """Say how many processes; they begin with `start`, or with the first label."""
        prepare = _step_back_and_warm_up if modest else _warm_up
        self._pool = DocumentPool(processes, prepare, seconds=seconds, waiting=waiting)

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

    async def gather(self, pieces: Sequence[LabelContent | bytes], size: Size) -> bytes:
        """Many labels as one PDF: those to be drawn, and those that carriers made, put on the same paper.

        Raises:
            DocumentError: as `render`; what cannot be drawn or read raises its own error.
        """
        return await self._pool.run(_gather, tuple(pieces), size, seconds=_LONG)

    async def bind(self, parts: Sequence[str], target: str) -> int:
        """Put PDFs at these paths together at another, and say how many bytes that has.

        Raises:
            DocumentError: as `render`.
        """
        return await self._pool.run(_bind, tuple(parts), target, seconds=_LONG)
