"""Cards made in the processes of the documents; the process that asks does not load what makes them."""

from returns_portal.loyalty.card import CardContent


def render(content: CardContent) -> bytes:
    """The card as PDF, for `DocumentPool.run`."""
    # Here, in the document process: loading the press takes a web process half a second and sixty megabytes.
    from returns_portal.loyalty.card_printing import render_card  # noqa: PLC0415

    return render_card(content)
