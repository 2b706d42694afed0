"""The shop's choices about new orders, as a form has them. Pure."""

from collections.abc import Mapping

from returns_portal.shop.confirming import Confirming

TICKS = ("order_received_mail", "from_files")


def read(sent: Mapping[str, str]) -> Confirming:
    """The choices that a form says."""
    return Confirming(**{name: sent.get(name) == "yes" for name in TICKS})


def shown(confirming: Confirming) -> dict[str, str]:
    """The fields of the form, as they stand."""
    return {name: "yes" for name in TICKS if getattr(confirming, name)}
