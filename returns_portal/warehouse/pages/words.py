"""Conditions, dispositions and findings, as the dock says them."""

from returns_portal.i18n import _
from returns_portal.warehouse.models import Condition, Disposition, Finding


def condition_words(condition: str) -> str:
    """A condition, as the buttons say it."""
    return {
        Condition.RESELLABLE: _("Like new"),
        Condition.WORN: _("Worn"),
        Condition.DAMAGED: _("Damaged"),
        Condition.WRONG_ITEM: _("Wrong item"),
        Condition.NOT_SHIPPED: _("Not shipped"),
        Condition.KEPT: _("Kept by the customer"),
    }[Condition(condition)]


def disposition_words(disposition: str) -> str:
    """Where goods go."""
    if not disposition:
        return _("A person decides")
    return {
        Disposition.RESTOCK: _("Back to the shelf"),
        Disposition.CLEAN_RESTOCK: _("Cleaned, then to the shelf"),
        Disposition.OUTLET: _("Outlet"),
        Disposition.REPAIR: _("Repair"),
        Disposition.DONATE: _("Donation"),
        Disposition.DESTROY: _("Destroyed"),
        Disposition.BACK_TO_CUSTOMER: _("Back to the customer"),
    }[Disposition(disposition)]


def finding_words(kind: str) -> str:
    """What was not as announced."""
    return {
        Finding.FEWER: _("Something is missing"),
        Finding.MORE: _("More than announced"),
        Finding.OTHER: _("Something that was not announced"),
        Finding.FOREIGN: _("Another shop’s goods"),
        Finding.EMPTY: _("The box was empty"),
    }[Finding(kind)]
