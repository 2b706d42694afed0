"""E-mails as people read them: subject, text and HTML from one folder of templates each."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache, partial
from typing import Final
from zoneinfo import ZoneInfo

import minijinja
import msgspec
from babel.dates import format_time

from returns_portal import i18n
from returns_portal.notifications.choices import kind_of
from returns_portal.resources import templates_dir
from returns_portal.settings import Settings
from returns_portal.shop.colours import scheme_of
from returns_portal.shop.queries import ShopInfo
from returns_portal.web import formats
from returns_portal.web.links import rating_link, unsubscribe_link, view_link

SUBJECT_LENGTH: Final = 200
"""Characters; longer ones are cut, for the order numbers of some shops are whole sentences."""


CODE_PICTURE: Final = "code@label"
"""The Content-ID by which an e-mail's HTML shows the QR symbol that goes with it (RFC 2392)."""


class Rendered(msgspec.Struct, frozen=True):
    """An e-mail's three faces, which say the same."""

    subject: str
    text: str
    html: str
    code: str = ""
    """What the QR symbol holds that its HTML shows as the picture `CODE_PICTURE`; empty where it shows none."""
    unsubscribe: str = ""
    """Where its reader switches e-mails of its kind off; empty for what has to go."""


def render_email(
    template: str,
    locale: str,
    values: Mapping[str, object],
    shop: ShopInfo,
    settings: Settings,
    *,
    recipient: str = "",
) -> Rendered:
    """Fill the templates of `templates/email/<template>/` in the reader's language.

    Its link shows the page that it names to whoever reads the e-mail; what changes something is asked for by a code.

    Raises:
        minijinja.TemplateError: there is no such template, or a value that it needs is missing.
    """
    kind = kind_of(template)
    unsubscribe = unsubscribe_link(settings, recipient, kind) if kind and recipient else ""
    with i18n.speaking(locale):
        context = {
            **values,
            **_links(values, settings),
            "unsubscribe": unsubscribe,
            "shop": shop,
            "brand": scheme_of(shop.accent),
            "closing": shop.words("closing", i18n.current()),
            "packing": shop.words("packing", i18n.current()),
            "sandbox": not settings.livemode,
            "locale": i18n.current(),
            "moment": partial(_moment, shop.timezone),
            "day": _day,
            "ends_on": partial(_ends_on, shop.timezone),
        }
        render = _environment().render_template
        # A subject is a header: whatever the values hold, it stays one line.
        subject = " ".join(render(f"email/{template}/subject.txt", **context).split())[:SUBJECT_LENGTH]
        text = render(f"email/{template}/body.txt", **context)
        html = render(f"email/{template}/body.html", **context, subject=subject)
    code = str(values.get("qr", "")) if f"cid:{CODE_PICTURE}" in html else ""
    return Rendered(subject, re.sub(r"\n{3,}", "\n\n", text).strip() + "\n", html, code, unsubscribe)


def _links(values: Mapping[str, object], settings: Settings) -> dict[str, object]:
    """The page that an e-mail is about, the page of its code alone, and where its reader asks about it.

    Callers give paths, since only the portal's settings say under which address people see it.
    """
    url, rated = values.get("url"), values.get("rating")
    if not isinstance(url, str):
        return {}
    parcel = values.get("number")
    code = f"{url}/qr" + (f"?parcel={parcel}" if isinstance(parcel, int) and parcel > 1 else "")
    paths = {"url": url, "code_url": code}
    if isinstance(asking := values.get("ask_url"), str):
        paths["ask_url"] = asking
    links: dict[str, object] = {
        name: view_link(settings, path) if path.startswith("/") else path for name, path in paths.items()
    }
    return links | ({"rating_url": rating_link(settings, rated)} if isinstance(rated, str) else {})


@cache
def _environment() -> minijinja.Environment:
    return minijinja.Environment(
        loader=minijinja.load_from_path(templates_dir()),
        globals={"_": i18n.translate, "ngettext": i18n.ngettext, "money": formats.money, "number": formats.number},
        undefined_behavior="strict",
        auto_escape_callback=lambda name: name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
        # In debug mode an error quotes the values at hand: names and addresses, in a log.
        debug=False,
    )


def _day(iso: str) -> str:
    """A day in full, as people say it."""
    return formats.format_date(date.fromisoformat(iso))


def _ends_on(timezone: str, iso: str) -> str:
    """The last day of a time that ends at a moment: at midnight it is the day before."""
    ends = datetime.fromisoformat(iso).astimezone(ZoneInfo(timezone)) - timedelta(seconds=1)
    return formats.format_date(ends.date(), "day")


def _moment(timezone: str, iso: str) -> str:
    return moment_in_words(timezone, datetime.fromisoformat(iso))


def moment_in_words(timezone: str, moment: datetime) -> str:
    """A date and time to the second, with its zone: Directive 2011/83/EU, Art. 11a(4) asks for both."""
    here = moment.astimezone(ZoneInfo(timezone))
    time = format_time(here, "HH:mm:ss zzzz", tzinfo=here.tzinfo, locale=i18n.formatting_locale(i18n.current()))
    return f"{formats.format_date(here.date())}, {time}"
