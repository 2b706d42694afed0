"""What the templates of a label show: printable text, in the customer's language and in English."""

from collections.abc import Callable

from babel.dates import format_date

from returns_portal.documents.coverage import printable
from returns_portal.i18n import formatting_locale, mark
from returns_portal.labels.addresses import ENGLISH, address_lines, address_name, country_name, shortened
from returns_portal.labels.content import LabelContent, LabelItem, PostalAddress

Translate = Callable[[str], str]

_ITEM_LENGTH = 38
_SHORTEST_TITLE = 12
_TIMES = "\N{MULTIPLICATION SIGN}"
_LONGEST_LICENCE = 40

CAPTION_TYPE = 6.5
"""Points; as `.label div::first-line` in the stylesheet."""
BASELINE = 0.99
"""From the top of a line to its baseline, in multiples of the type size, with the stylesheet's line height."""
_CODE_ROOM, _CODE_TYPE = 250, 24
_ORDER_ROOM, _ORDER_TYPE = 102, 13
"""Points: how wide a number may be, and how large it is set if it is short."""
_ADVANCE = 0.6
"""Width of a letter of Noto Sans Mono, and of most letters and figures of Noto Sans Bold, in the same measure."""


def wording(content: LabelContent, translate: Translate) -> dict[str, object]:
    """The templates' values for one label."""
    locale = formatting_locale(content.locale)

    def local(message: str) -> str:
        return printable(translate(message))

    def both(message: str, part: str = " · ") -> str:
        """A caption in the customer's language and in English, which the post and the warehouse read."""
        return message if local(message) == message else f"{local(message)}{part}{message}"

    sender_country = printable(country_name(content.sender.country, locale))
    recipient_country = country_name(content.recipient.country, ENGLISH)
    recipient_local = printable(country_name(content.recipient.country, locale))
    order_number = printable(content.order_number)
    order_points = _type_size(order_number, _ORDER_ROOM, _ORDER_TYPE)
    return {
        "_": local,
        "mark": mark,
        "both": both,
        "lang": locale.language,
        "code": content.code,
        "code_points": _type_size(content.code, _CODE_ROOM, _CODE_TYPE),
        "sender_lines": _sender_lines(content.sender, sender_country),
        "recipient_name": address_name(content.recipient),
        "recipient_lines": address_lines(content.recipient),
        "recipient_country": recipient_country.upper(),
        "recipient_country_local": "" if recipient_local == recipient_country else recipient_local,
        "licence": shortened(printable(content.licence), _LONGEST_LICENCE),
        "order_number": order_number,
        "order_points": order_points,
        "order_shift": round((_ORDER_TYPE - order_points) * BASELINE, 2),
        "issued": content.issued.isoformat(),
        "issued_long": printable(format_date(content.issued, format="long", locale=locale)),
        "item_lines": [_item_line(item) for item in content.items],
        "items": [_printable_item(item) for item in content.items],
        "pieces": sum(item.quantity for item in content.items),
        "shop_name": printable(content.shop_name),
        "shop_phone": printable(content.shop_phone),
        "shop_email": printable(content.shop_email),
        "sandbox": content.sandbox,
        "to_choose": content.to_choose,
    }


def _type_size(text: str, room: float, largest: float) -> float:
    """Points in which a number fits into a width."""
    return min(largest, round(room / (_ADVANCE * max(len(text), 1)), 2))


def _sender_lines(sender: PostalAddress, country: str) -> list[str]:
    """Name and address, the country beside the place, as on the letters of people."""
    lines = [line for line in (address_name(sender), *address_lines(sender)) if line]
    return [*lines[:-1], f"{lines[-1]}, {country}"] if lines else [country]


def _item_line(item: LabelItem) -> str:
    """One article on the label, its title cut so that size and colour are still read."""
    shown = _printable_item(item)
    details = "".join(f", {detail}" for detail in (shown.size, shown.color) if detail)
    title = shortened(shown.title, max(_SHORTEST_TITLE, _ITEM_LENGTH - len(details)))
    return f"{item.quantity} {_TIMES} {title}{details}"


def _printable_item(item: LabelItem) -> LabelItem:
    return LabelItem(
        quantity=item.quantity,
        title=printable(item.title),
        size=printable(item.size),
        color=printable(item.color),
    )
