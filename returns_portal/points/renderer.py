"""Statements made in the processes of the documents; the process that asks does not load what makes them."""

from returns_portal.points.paper import StatementContent


def render(content: StatementContent) -> bytes:
    """The statement as PDF, for `DocumentPool.run`."""
    # Here, in the document process: loading the press takes a web process half a second and sixty megabytes.
    from returns_portal.points.printing import render_statement  # noqa: PLC0415

    return render_statement(content)
