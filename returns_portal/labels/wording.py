"""What the templates of a label show: printable text, in the customer's language and in English."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache, partial
from unicodedata import bidirectional, east_asian_width

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
_NAMED = 2
_TIMES = "\N{MULTIPLICATION SIGN}"
_FROM = mark("From")
_ALSO = mark("Also in this parcel")
_LONGEST_LICENCE = 40

_TALL_SCRIPTS = re.compile("[\u0f00-\u109f\u1780-\u17ff\u19e0-\u1aaf]")

CAPTION_TYPE = 6.5
"""Points; as `.label div::first-line` in the stylesheet."""
BASELINE = 0.99
"""From the top of a line to its baseline, in multiples of the type size, with the stylesheet's line height."""
_CODE_ROOM = 250
_ORDER_ROOM, _ORDER_TYPE = 102, 13
"""Points: how wide a number may be, and how large it is set if it is short."""
_ADVANCE = 0.6
"""Width of a letter of Noto Sans Mono, and of most letters and figures of Noto Sans Bold, in the same measure."""
_SLIP_ROOMS, SLIP_TYPE = (150, 116, 153), 11
"""As above, for return, order and date on the packing slip."""
_CAPTION_ADVANCE = 0.74
"""Width of a capital of a caption, letter spacing included, in multiples of the type size."""
_PAID_ROOM, _PAID_HEIGHT, _PAID_LEADING, _PAID_ADVANCE = 103, 34, 1.22, 0.56
_PAID_TYPE = (7.0, 6.5, 6.0, 5.5, 5.0, 4.5, 4.0, 3.5)
"""Points: the place for the words on postage below their heading, and the type in which they are set; tried in turn."""


class OwnWords(msgspec.Struct, frozen=True):
    """What a label says that the shop's other labels do not, ready for the templates."""

    code: str
    sender_lines: list[str]
    order_number: str
    order_points: float
    slip_points: tuple[float, ...]
    """Points of return, order and date on the packing slip."""
    issued: str
    issued_long: str
    rows: list[Row]
    """The articles in the table of the packing slip."""
    item_lines: list[str]
    """The articles on the label."""
    together: str
    """The other returns in the parcel, in one line; empty where it holds one only."""
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
    licence = shortened(printable(content.licence), _LONGEST_LICENCE)
    recipient_country = country_name(content.recipient.country, ENGLISH)
    recipient_local = printable(country_name(content.recipient.country, locale))
    return {
        "_": lambda message: printable(translate(message)),
        "mark": mark,
        "both": partial(_both, translate),
        "caption": partial(_caption, translate),
        "lang": locale.language,
        "recipient_name": address_name(content.recipient),
        "recipient_lines": address_lines(content.recipient),
        "recipient_tall": tall(address_name(content.recipient), *address_lines(content.recipient)),
        "recipient_country": recipient_country.upper(),
        "recipient_country_local": "" if recipient_local == recipient_country else recipient_local,
        "licence": licence,
        "paid_points": _paid_points(_both(translate, mark("Postage paid by addressee"), "\n"), f"Licence {licence}"),
        "shop_name": _closed(printable(content.shop_name)),
        "shop_phone": printable(content.shop_phone),
        "shop_email": printable(content.shop_email),
        "sandbox": content.sandbox,
        "to_choose": content.to_choose,
        "charged": content.charged,
    }


def own_words(content: LabelContent, translate: Translate) -> OwnWords:
    """What only this label says."""
    locale = formatting_locale(content.locale)
    order_number = printable(content.order_number)
    issued_long = _long_date(content.issued, locale)
    sender_lines = _sender_lines(content.sender, printable(country_name(content.sender.country, locale)))
    items = [_printable_item(item) for item in content.items]
    return OwnWords(
        code=content.code,
        sender_lines=sender_lines,
        order_number=order_number,
        order_points=_type_size(order_number, _ORDER_ROOM, _ORDER_TYPE),
        slip_points=tuple(
            _type_size(text, room, SLIP_TYPE)
            for text, room in zip((content.code, order_number, issued_long), _SLIP_ROOMS, strict=True)
        ),
        issued=content.issued.isoformat(),
        issued_long=issued_long,
        rows=[(f"{item.quantity} {_TIMES}", item.title, item.size, item.color) for item in items],
        item_lines=[*_fellow_lines(content.fellows), *map(_item_line, items)],
        together=f"{_both(translate, _ALSO)}: {', '.join(content.fellows)}" if content.fellows else "",
        more=printable(translate(mark("and {count} more"))),
        pieces=str(sum(item.quantity for item in items)),
        from_line=f"{_both(translate, _FROM)}: {', '.join(map(_closed, sender_lines))}",
    )


@lru_cache(maxsize=256)
def _long_date(day: date, locale: Locale) -> str:
    """The day in words; in digits (ISO 8601) where no font has the signs of its language."""
    written = " ".join(format_date(day, format="long", locale=locale).split())
    return written if printable(written) == written else day.isoformat()


def tall(*texts: str) -> bool:
    """Whether letters stand on and below one another, as in Tibetan, Burmese and Khmer."""
    return any(_TALL_SCRIPTS.search(text) for text in texts)


def code_points(code: str, largest: float) -> float:
    """Points in which a label's number fits below its bars."""
    return _type_size(code, _CODE_ROOM, largest)


def _both(translate: Translate, message: str, part: str = " · ") -> str:
    """A caption in the customer's language and in English, which the post and the warehouse read."""
    local = printable(translate(message))
    return message if local == message else f"{local}{part}{message}"


def _closed(text: str) -> str:
    """A text after which the line goes on from left to right, numbers too (Unicode Standard Annex 9, 2.6)."""
    return f"{text}\u200e" if any(bidirectional(character) in ("R", "AL") for character in text) else text


def _caption(translate: Translate, message: str, room: float) -> str:
    """A caption in both languages, or in English alone where both are wider than `room` points in one line."""
    whole = _both(translate, message)
    return whole if _cells(whole) * _CAPTION_ADVANCE * CAPTION_TYPE <= room else message


def _paid_points(*texts: str) -> float:
    """The largest type in which the words on postage keep within their frame."""
    lines = [line for text in texts for line in text.split("\n")]

    def height(points: float) -> float:
        taken = sum(_line_count(line, _PAID_ROOM / (_PAID_ADVANCE * points)) for line in lines)
        return taken * _PAID_LEADING * points

    return next((points for points in _PAID_TYPE if height(points) <= _PAID_HEIGHT), _PAID_TYPE[-1])


def _line_count(text: str, cells: float) -> int:
    """How many lines of so many cells a text takes at most, broken at spaces where it has them."""
    count, used = 1, 0.0
    for word in text.split():
        width = _cells(word)
        if used and used + 1 + width > cells:
            count, used = count + 1, 0.0
        count += int(width // cells)
        used = used + 1 + width if used else width % cells
    return count


def _cells(text: str) -> int:
    """The width of a text in letters; an ideograph takes two (Unicode Standard Annex 11)."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _type_size(text: str, room: float, largest: float) -> float:
    """Points in which a number fits into a width."""
    return min(largest, round(room / (_ADVANCE * max(len(text), 1)), 2))


def _sender_lines(sender: PostalAddress, country: str) -> list[str]:
    """Name and address, the country beside the place, as on the letters of people."""
    lines = [line for line in (address_name(sender), *address_lines(sender)) if line]
    return [*lines[:-1], f"{lines[-1]}, {country}"] if lines else [country]


def _item_line(item: LabelItem) -> str:
    """One article on the label, its title cut so that size and colour are still read."""
    details = "".join(f", {_closed(detail)}" for detail in (item.size, item.color) if detail)
    title = shortened(item.title, max(_SHORTEST_TITLE, _ITEM_LENGTH - len(details)))
    return f"{item.quantity} {_TIMES} {_closed(title)}{details}"


def _fellow_lines(fellows: Sequence[str]) -> list[str]:
    """The other returns in the parcel, as the label names them: first, and at most so many as a line holds."""
    if not fellows:
        return []
    rest = f" +{len(fellows) - _NAMED}" if len(fellows) > _NAMED else ""
    return [f"+ {', '.join(fellows[:_NAMED])}{rest}"]


def _printable_item(item: LabelItem) -> LabelItem:
    return LabelItem(
        quantity=item.quantity,
        title=printable(item.title),
        size=printable(item.size),
        color=printable(item.color),
    )
