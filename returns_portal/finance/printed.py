"""Finance's documents as PDF. Here is what loads the press: only processes that make documents import it."""

from datetime import date

from babel.dates import format_date

from returns_portal import i18n
from returns_portal.documents.coverage import printable
from returns_portal.documents.press import lay_out, write
from returns_portal.finance.credit_notes_content import NoteContent, NoteLine, rate
from returns_portal.finance.printing import PrintedReport, PrintedRow, PrintedTable
from returns_portal.i18n import _
from returns_portal.labels.addresses import address_lines, country_name
from returns_portal.labels.content import PostalAddress
from returns_portal.money import Money
from returns_portal.refunds.models import Destination, Kind


def render_report(content: PrintedReport) -> bytes:
    """The report as PDF: the same bytes for the same content."""
    with i18n.speaking(content.locale):
        values = {
            "_": _,
            "lang": i18n.formatting_locale(content.locale).language,
            "shop": printable(content.shop),
            "heading": printable(content.heading),
            "facts": [(printable(name), printable(text)) for name, text in content.facts],
            "totals": [_table(table) for table in content.totals],
            "chart_title": content.chart_title,
            "chart": content.chart,
            "rows": _table(content.rows),
            "left_out": content.left_out,
            "sandbox": content.sandbox,
        }
        return write(lay_out("report/report.html", ("report/report.css",), values), {})


def _table(table: PrintedTable) -> dict[str, object]:
    return {"heading": table.heading, "names": _row(table.names), "rows": [_row(row) for row in table.rows]}


def _row(row: PrintedRow) -> dict[str, list[str]]:
    return {"texts": [printable(text) for text in row.texts], "numbers": [printable(text) for text in row.numbers]}


def render_note(content: NoteContent) -> bytes:
    """A credit note, or what cancels one, as PDF: the same bytes for the same content."""
    with i18n.speaking(content.locale):
        values = {"_": _, "lang": i18n.formatting_locale(content.locale).language, **_note_values(content)}
        return write(lay_out("credit_note/credit_note.html", ("credit_note/credit_note.css",), values), {})


def _note_values(content: NoteContent) -> dict[str, object]:
    sign = -1 if content.cancels else 1

    def money(minor: int) -> str:
        return Money(sign * minor, content.currency).format(i18n.current())

    return {
        "document": content.document,
        "title": _("Cancellation of a credit note") if content.cancels else _("Credit note"),
        "seller": printable(str(content.seller["name"])),
        "seller_lines": [
            *_address(content.seller["address"]),
            *[printable(str(content.seller[name])) for name in ("details", "phone", "email") if content.seller[name]],
        ],
        "buyer": printable(content.buyer["name"]),
        "buyer_lines": [*_address(content.buyer), printable(content.buyer["email"])],
        "facts": _facts(content),
        "lines": [_line(line, sign, content.currency) for line in _shown(content)],
        "of_lines": money(content.amount + content.others + content.fee) if content.others or content.fee else "",
        "others": money(-content.others) if content.others else "",
        "postage": money(-content.fee) if content.fee else "",
        "net": money(content.amount - content.tax),
        "tax": money(content.tax),
        "amount": money(content.amount),
        "sentences": _sentences(content),
        "sandbox": content.sandbox,
    }


def _facts(content: NoteContent) -> list[tuple[str, str]]:
    facts = [
        (_("Number"), content.document),
        (_("Date"), _day(content.issued)),
        (_("Cancels credit note"), content.cancels),
        (_("Order"), printable(content.order_number)),
        (_("Ordered on"), _day(content.ordered)),
        (_("Return"), content.rma),
    ]
    return [(name, text) for name, text in facts if text]


def _shown(content: NoteContent) -> list[NoteLine]:
    """The lines; where nothing tells of them, one that says why money went back."""
    if content.lines:
        return content.lines
    titles = {
        Kind.GOODWILL: _("A gesture of goodwill"),
        Kind.OUTSIDE: _("Refund of your payment"),
        Kind.DEPOSIT: _("What is left of your deposit"),
        Kind.EXCHANGE: _("What you paid for an exchange that ended"),
    }
    title = titles.get(Kind(content.kind), _("Refund"))
    return [NoteLine(title, "", "", "", 1, content.amount, content.tax)]


def _line(line: NoteLine, sign: int, currency: str) -> dict[str, str]:
    percent = rate(line.amount, line.tax, line.quantity)
    amounts = {"net": line.amount - line.tax, "tax": line.tax, "amount": line.amount}
    return {
        "title": printable(line.title) or _("Shipping"),
        "details": " · ".join(printable(text) for text in (line.sku, line.size, line.color) if text),
        "quantity": str(line.quantity) if line.quantity else "",
        "rate": f"{percent:f} %" if percent is not None else "–",
    } | {name: Money(sign * minor, currency).format(i18n.current()) for name, minor in amounts.items()}


def _sentences(content: NoteContent) -> list[str]:
    amount = Money(content.amount, content.currency).format(i18n.current())
    values = {"amount": amount, "day": _day(content.refunded), "last4": content.card_last4, "document": content.cancels}
    if content.cancels:
        return [
            _(
                "The refund of {amount} came back from the bank on {day}, so that credit note {document} does not hold"
                " any more. The amount is still owed to you.",
                **values,
            )
        ]
    ways = {
        Destination.CARD: _("{amount} went back to your card •• {last4} on {day}.", **values)
        if content.card_last4
        else _("{amount} went back the way you paid on {day}.", **values),
        Destination.POINTS: _("{amount} were credited to you as points on {day}.", **values),
        Destination.TRANSFER: _("{amount} were transferred to your account on {day}.", **values),
    }
    sentences = [ways[Destination(content.destination)]]
    if content.bonus:
        bonus = Money(content.bonus, content.currency).format(i18n.current())
        sentences.append(_("On top of that you were given a bonus of {bonus} in points.", bonus=bonus))
    if content.kind == Kind.GOODWILL and content.reason:
        sentences.append(_("Reason: {reason}", reason=printable(content.reason)))
    return sentences


def _address(parts: dict[str, str]) -> list[str]:
    address = PostalAddress(**{part: parts.get(part) or "" for part in PostalAddress.__struct_fields__})
    country = (
        printable(country_name(address.country, i18n.formatting_locale(i18n.current()))) if address.country else ""
    )
    return [*address_lines(address), *([country] if country else [])]


def _day(day: date) -> str:
    # Plain English writes days as most of its readers in the shop's part of the world do: day before month.
    tag = "en-GB" if i18n.current() == i18n.DEFAULT else i18n.current()
    return printable(format_date(day, "long", locale=i18n.formatting_locale(tag)))
