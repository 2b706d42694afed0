"""How products are cut, for the shop: verdicts with what they rest on, and whether customers are told."""

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.finance.cells import safe
from returns_portal.i18n import _, mark, translate
from returns_portal.insights.chart import Chart, Item, chart
from returns_portal.insights.evidence import Voice
from returns_portal.insights.fit import Confidence, Judged, Verdict
from returns_portal.insights.fitting import FRESH, Fit, SizeFit, fit_for, fits, sentence, silence
from returns_portal.insights.pages.asked import PAGE, AnyRequest, staff, tabs
from returns_portal.insights.pages.period import usual
from returns_portal.insights.pages.tables import file_answer
from returns_portal.insights.pages.words import percent
from returns_portal.insights.rules import wilson
from returns_portal.shop.queries import current
from returns_portal.web import flash, form, page, redirect, requires_staff
from returns_portal.web.formats import local_day, number

Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

HERE: Final = f"{PAGE}/fit"
_VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.SMALL: mark("runs small"),
    Verdict.LARGE: mark("runs large"),
    Verdict.AS_EXPECTED: mark("as expected"),
    Verdict.UNKNOWN: mark("too little known, or people disagree"),
}
_SURE: Final[Mapping[Confidence, str]] = {
    Confidence.VERY: mark("very sure"),
    Confidence.SURE: mark("sure"),
    Confidence.FAIRLY: mark("fairly sure"),
}
_DIRECTIONS: Final = frozenset({Verdict.SMALL, Verdict.LARGE})


class FitLine(msgspec.Struct, frozen=True):
    """A product, or a size of one, in words."""

    name: str
    href: str
    verdict: str
    sure: str
    buyers: str
    small: str
    large: str
    share: str
    """Which part says what the most say, with its bounds."""
    strong: bool
    told: str
    """Whether customers are told; empty where there is nothing to tell."""


def verdict_words(verdict: Verdict, *, ordered: bool = True) -> str:
    """A verdict, as the shop reads it."""
    return translate(_VERDICTS[verdict]) if ordered else _("its sizes have no order that we know")


def sure_words(found: Judged) -> str:
    """How sure a direction is, in words and in numbers; empty where none is told."""
    if found.verdict not in _DIRECTIONS:
        return ""
    chance = f"< {number(0.1)}" if found.chance < 0.001 else number(round(100 * found.chance, 1))  # noqa: PLR2004 - in a thousand
    return _("{sure}: by chance in {percent} of 100 cases", sure=translate(_SURE[found.confidence]), percent=chance)


def _line(fit: Fit | SizeFit) -> FitLine:
    """A product leads to what was said of it; a size stands beside that already."""
    said = max(fit.small, fit.large)
    low, high = wilson(said, fit.buyers)
    return FitLine(
        name=fit.title if isinstance(fit, Fit) else fit.size or _("One size"),
        href=f"{HERE}/{fit.handle}" if isinstance(fit, Fit) else "",
        verdict=verdict_words(fit.verdict, ordered=fit.ordered if isinstance(fit, Fit) else True),
        sure=sure_words(Judged(fit.verdict, fit.chance)),
        buyers=number(fit.buyers),
        small=number(fit.small),
        large=number(fit.large),
        share=_("{low} to {high}", low=percent(low), high=percent(high)) if said else "–",
        strong=fit.verdict in _DIRECTIONS,
        told=_told(fit) if isinstance(fit, Fit) else "",
    )


def _told(fit: Fit) -> str:
    if fit.verdict not in _DIRECTIONS:
        return ""
    return _("silenced") if fit.silenced_at else _("told")


def _drawn(shown: list[Fit]) -> Chart:
    """The products of which a direction is told, as the share of buyers who say so."""
    items = [
        Item(
            fit.title,
            _(
                "{verdict}, {said} of {buyers}",
                verdict=verdict_words(fit.verdict),
                said=fit.evidence.said,
                buyers=fit.buyers,
            ),
            fit.evidence.said / fit.buyers,
            wilson(fit.evidence.said, fit.buyers),
            strong=True,
        )
        for fit in shown
    ]
    buyers, said = sum(fit.buyers for fit in shown), sum(fit.evidence.said for fit in shown)
    return chart(items, said / buyers)


@get(HERE, guards=staff)
async def fits_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Every product that was measured."""
    found = await fits(db, actor)
    clear = [fit for fit in found if fit.verdict in _DIRECTIONS]
    return page(
        request,
        "insights/fits.html",
        here="fit",
        tabs=tabs(usual((await current(db)).timezone).query()),
        lines=[_line(fit) for fit in found],
        chart=_drawn(clear) if clear else None,
        measured_at=max((fit.measured_at for fit in found), default=None),
    )


@get(f"{HERE}.csv", guards=staff)
async def fits_csv(db: Db, actor: By) -> Response[str]:
    """The same as a file, with a row for each product and one for each of its sizes."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for fit in await fits(db, actor):
        silenced = "yes" if fit.silenced_at else "no"
        parts: list[tuple[str, Fit | SizeFit]] = [("", fit), *((one.size, one) for one in fit.sizes)]
        for size, each in parts:
            numbers = (each.buyers, each.small, each.large, f"{each.chance:.6f}")
            names = (safe(fit.handle), safe(fit.title), safe(size))
            writer.writerow([*names, each.verdict.value, *numbers, silenced, f"{fit.measured_at:%Y-%m-%dT%H:%M:%SZ}"])
    return file_answer(written.getvalue(), "fit")


_COLUMNS: Final = (
    "handle", "title", "size", "verdict", "buyers", "too_small", "too_large", "chance", "silenced", "measured_at",
)  # fmt: skip


@get(f"{HERE}/{{handle:str}}", guards=staff)
async def fit_page(request: AnyRequest, db: Db, actor: By, handle: FromPath[str]) -> Response[Any]:
    """One product: the verdict, each size, everybody who said something, and what customers are told."""
    fit, voices = await fit_for(db, actor, handle)
    days = {"from": local_day(fit.since).isoformat(), "to": local_day(fit.measured_at).isoformat()}
    return page(
        request,
        "insights/fit.html",
        here="fit",
        tabs=tabs(usual((await current(db)).timezone).query()),
        fit=fit,
        line=_line(fit),
        sizes=[_line(size) for size in fit.sizes],
        voices=[(voice, _said(voice)) for voice in voices],
        told=sentence(fit.verdict, fit.evidence),
        silent=fit.silenced_at is not None,
        fresh_days=FRESH.days,
        bought=f"{PAGE}/product/rows?measure=shipped&key={handle}&from={days['from']}&to={days['to']}",
    )


@get(f"{HERE}/{{handle:str}}/said.csv", guards=staff)
async def said_csv(db: Db, actor: By, handle: FromPath[str]) -> Response[str]:
    """Everybody who said something of its size, as a file; moments in UTC."""
    fit, voices = await fit_for(db, actor, handle)
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(["rma", "at", "size", "says", "reason", "wanted"])
    for voice in voices:
        said = Verdict.SMALL.value if voice.small else Verdict.LARGE.value
        words = [safe(text) for text in (voice.reason, voice.wanted)]
        writer.writerow([voice.rma, f"{voice.at:%Y-%m-%dT%H:%M:%SZ}", safe(voice.size), said, *words])
    return file_answer(written.getvalue(), f"fit-{fit.handle}")


def _said(voice: Voice) -> str:
    return _("exchanged for {size}", size=voice.wanted) if voice.wanted else voice.reason


@post(f"{HERE}/{{handle:str}}/silence", guards=[requires_staff("support")])
async def set_silence(request: AnyRequest, db: Db, actor: By, handle: FromPath[str]) -> Redirect:
    """Tell customers nothing of it, or tell them again."""
    silent = (await form(request)).get("silent") == "yes"
    await silence(db, actor, handle, silent)
    flash(request, _("Customers are not told any more.") if silent else _("Customers are told again."))
    return redirect(f"{HERE}/{handle}")


routes: list[Any] = [fits_page, fits_csv, fit_page, said_csv, set_silence]
