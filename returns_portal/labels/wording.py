"""What the templates of a label show: printable text, in the customer's language and in English."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache, partial

import msgspec
from babel import Locale
from babel.dates import format_date

from returns_portal.documents.coverage import printable
from returns_portal.i18n import formatting_locale, mark
from returns_portal.labels.addresses import ENGLISH, address_lines, address_name, country_name, shortened
from returns_portal.labels.content import LabelContent, LabelItem, PostalAddress

Translate = Callable[[str], str]
Row = tuple[str, str, str, str]
"""How many, title, size and colour."""

_ITEM_LENGTH = 38
_SHORTEST_TITLE = 12
_TIMES = "\N{MULTIPLICATION SIGN}"
_LONGEST_LICENCE = 40

CAPTION_TYPE = 6.5
"""Points; as `.label div::first-line` in the stylesheet."""
BASELINE = 0.99
"""From the top of a line to its baseline, in multiples of the type size, with the stylesheet's line height."""
_CODE_ROOM = 250
_ORDER_ROOM, _ORDER_TYPE = 102, 13
"""Points: how wide a number may be, and how large it is set if it is short."""
_ADVANCE = 0.6
"""Width of a letter of Noto Sans Mono, and of most letters and figures of Noto Sans Bold, in the same measure."""


class OwnWords(msgspec.Struct, frozen=True):
    """What a label says that the shop's other labels do not, ready for the templates."""

    code: str
    sender_lines: list[str]
    order_number: str
    order_points: float
    issued: str
    issued_long: str
    rows: list[Row]
    """The articles in the table of the packing slip."""
    item_lines: list[str]
    """The articles on the label."""
    more: str
    """Stands for articles that there is no room for."""
    pieces: str
    from_line: str

    def templates(self) -> dict[str, object]:
        """The templates' values."""
        return msgspec.structs.asdict(self) | {"order_shift": round((_ORDER_TYPE - self.order_points) * BASELINE, 2)}

    def inside(self, room: int) -> list[str]:
        """The articles on the label, in so many lines at most."""
        if len(self.item_lines) <= room:
            return self.item_lines
        return [*self.item_lines[: room - 1], self.more.format(count=len(self.item_lines) - room + 1)]


def standing_words(content: LabelContent, translate: Translate) -> dict[str, object]:
    """The templates' values that are the same for each label of a shop in a language."""
    locale = formatting_locale(content.locale)
    recipient_country = country_name(content.recipient.country, ENGLISH)
    recipient_local = printable(country_name(content.recipient.country, locale))
    return {
        "_": lambda message: printable(translate(message)),
        "mark": mark,
        "both": partial(_both, translate),
        "lang": locale.language,
        "recipient_name": address_name(content.recipient),
        "recipient_lines": address_lines(content.recipient),
        "recipient_country": recipient_country.upper(),
        "recipient_country_local": "" if recipient_local == recipient_country else recipient_local,
        "licence": shortened(printable(content.licence), _LONGEST_LICENCE),
        "shop_name": printable(content.shop_name),
        "shop_phone": printable(content.shop_phone),
        "shop_email": printable(content.shop_email),
        "sandbox": content.sandbox,
        "to_choose": content.to_choose,
    }


def own_words(content: LabelContent, translate: Translate) -> OwnWords:
    """What only this label says."""
    locale = formatting_locale(content.locale)
    order_number = printable(content.order_number)
    sender_lines = _sender_lines(content.sender, printable(country_name(content.sender.country, locale)))
    items = [_printable_item(item) for item in content.items]
    return OwnWords(
        code=content.code,
        sender_lines=sender_lines,
        order_number=order_number,
        order_points=_type_size(order_number, _ORDER_ROOM, _ORDER_TYPE),
        issued=content.issued.isoformat(),
        issued_long=_long_date(content.issued, locale),
        rows=[(f"{item.quantity} {_TIMES}", item.title, item.size, item.color) for item in items],
        item_lines=[_item_line(item) for item in items],
        more=printable(translate(mark("and {count} more"))),
        pieces=str(sum(item.quantity for item in items)),
        from_line=f"{_both(translate, mark('From'))}: {', '.join(sender_lines)}",
    )


@lru_cache(maxsize=256)
def _long_date(day: date, locale: Locale) -> str:
    return printable(format_date(day, format="long", locale=locale))


def code_points(code: str, largest: float) -> float:
    """Points in which a label's number fits below its bars."""
    return _type_size(code, _CODE_ROOM, largest)


def _both(translate: Translate, message: str, part: str = " · ") -> str:
    """A caption in the customer's language and in English, which the post and the warehouse read."""
    local = printable(translate(message))
    return message if local == message else f"{local}{part}{message}"


def _type_size(text: str, room: float, largest: float) -> float:
    """Points in which a number fits into a width."""
    return min(largest, round(room / (_ADVANCE * max(len(text), 1)), 2))


def _sender_lines(sender: PostalAddress, country: str) -> list[str]:
    """Name and address, the country beside the place, as on the letters of people."""
    lines = [line for line in (address_name(sender), *address_lines(sender)) if line]
    return [*lines[:-1], f"{lines[-1]}, {country}"] if lines else [country]


def _item_line(item: LabelItem) -> str:
    """One article on the label, its title cut so that size and colour are still read."""
    details = "".join(f", {detail}" for detail in (item.size, item.color) if detail)
    title = shortened(item.title, max(_SHORTEST_TITLE, _ITEM_LENGTH - len(details)))
    return f"{item.quantity} {_TIMES} {title}{details}"


def _printable_item(item: LabelItem) -> LabelItem:
    return LabelItem(
        quantity=item.quantity,
        title=printable(item.title),
        size=printable(item.size),
        color=printable(item.color),
    )
