"""Slips made in the processes of the documents; the process that asks does not load what makes them."""

from returns_portal.tryon.slip import SlipContent


def render(content: SlipContent) -> bytes:
    """The slip as PDF, for `DocumentPool.run`."""
    # Here, in the document process: loading the press takes a web process half a second and sixty megabytes.
    from returns_portal.tryon.slip_printing import render_slip  # noqa: PLC0415

    return render_slip(content)
