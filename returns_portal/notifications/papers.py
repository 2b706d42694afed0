"""The papers that go along with e-mails, as PDF: what has to last, in a form that a customer files away."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from returns_portal import i18n
from returns_portal.documents.record import Record, Section
from returns_portal.i18n import _, mark
from returns_portal.notifications.rendering import moment_in_words
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo

_STATED: Final = (
    ("name", mark("Name")),
    ("order_number", mark("Order")),
    ("email", mark("E-mail for this confirmation")),
    ("details", mark("What you wrote")),
)


class Paper(msgspec.Struct, frozen=True):
    """A paper that is to be printed, and the name of its file."""

    filename: str
    record: Record


def paper_of(template: str, locale: str, values: Mapping[str, Any], shop: ShopInfo, settings: Settings) -> Paper | None:
    """The paper that goes along with an e-mail; None with most."""
    if template != "withdrawal_received":
        return None
    stated_at = datetime.fromisoformat(values["submitted_at"])
    return withdrawal_paper(locale, values["content"], stated_at, shop, settings)


def withdrawal_paper(
    locale: str, content: Mapping[str, str], submitted_at: datetime, shop: ShopInfo, settings: Settings
) -> Paper:
    """The acknowledgement of a statement of withdrawal: its content, date and time (Directive 2011/83/EU, Art. 11a(4)).

    It is made of the stored statement each time, and the same statement gives the same bytes.
    """
    with i18n.speaking(locale):
        rows = [(i18n.translate(words), content[name]) for name, words in _STATED if content.get(name)]
        if not content.get("details"):
            rows.append((_("What you withdraw from"), _("everything in this order")))
        moment = moment_in_words(shop.timezone, submitted_at)
        record = Record(
            locale=i18n.current(),
            shop_name=shop.name,
            contact=f"{shop.phone} · {shop.email}",
            title=_("Your withdrawal has reached us"),
            lead=_("We have received this statement of withdrawal from the contract on {moment}.", moment=moment),
            sections=[Section("", rows)],
            closing=_("This confirms that we received it, and when. Please keep it."),
            mode="" if settings.livemode else _("Sandbox – no money moves"),
        )
    return Paper("withdrawal.pdf", record)
