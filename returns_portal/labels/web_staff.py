"""Staff's pages of labels: the list, one label with all that is known of its parcel, costs, and pick-ups."""

import csv
import io
import secrets
from datetime import date
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.finance.replies import attempt
from returns_portal.i18n import _
from returns_portal.labels import pickups, words
from returns_portal.labels.costs import Cost, costs
from returns_portal.labels.models import LabelStatus
from returns_portal.labels.pickup_list import planned_pickups
from returns_portal.labels.queries import FLAGS, label_for, labels_of, list_labels, scans_of
from returns_portal.labels.voiding import try_again, void
from returns_portal.labels.web_runs import sizes
from returns_portal.money import Money
from returns_portal.web import form, formats, page, page_after, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

LIST: Final = "/staff/labels"
PAGE: Final = 50
_MONTHS: Final = 12
_PRINTABLE: Final = frozenset({"", "failed", LabelStatus.REQUESTED, LabelStatus.BOUGHT, LabelStatus.SENT})
"""Choices in which there may be labels that wait to be sent, and so to be printed."""

readers = [requires_staff("support", "warehouse", "finance")]
payers = [requires_staff("finance", "support")]


@get(LIST, guards=readers)
async def labels_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Labels, the newest first; of one status or with one flag, where that is asked for."""
    asked = request.query_params.get("show", "")
    chosen = asked if asked in FLAGS or asked in set(LabelStatus) else ""
    found = await list_labels(db, actor, chosen=chosen, before=page_after(request), limit=PAGE + 1)
    return page(
        request,
        "labels/list.html",
        labels=found[:PAGE],
        after=str(found[PAGE - 1].id) if found[PAGE:] else "",
        paged="after" in request.query_params,
        chosen=chosen,
        choices=_choices(),
        printable=chosen in _PRINTABLE,
        sizes=sizes(),
        token=secrets.token_urlsafe(16),
        words=words.FOR_TEMPLATES,
    )


def _choices() -> list[tuple[str, str]]:
    return [
        ("", _("all")),
        ("stuck", _("not moving")),
        ("reused", _("used again")),
        ("failed", _("a carrier refused")),
        ("not_given_back", _("money refused")),
        *((status.value, words.status_word(status).text) for status in LabelStatus),
    ]


@get(f"{LIST}/{{label_id:uuid}}", guards=readers)
async def label_page(request: AnyRequest, db: Db, actor: By, label_id: FromPath[UUID]) -> Response[Any]:
    """One label: its life, its parcel's way, what it cost, and what can be done about it."""
    formats.zone.set(site(request).shop.timezone)
    label = await label_for(db, actor, label_id)
    return page(
        request,
        "labels/show.html",
        label=label,
        token=secrets.token_urlsafe(16),
        scans=await scans_of(db, label_id),
        others=[other for other in await labels_of(db, actor, label.rma) if other.id != label_id],
        voidable=label.status in (LabelStatus.REQUESTED, LabelStatus.BOUGHT, LabelStatus.SENT),
        words=words.FOR_TEMPLATES,
    )


@post(f"{LIST}/{{label_id:uuid}}/void", guards=readers)
async def void_label(request: AnyRequest, db: Db, actor: By, label_id: FromPath[UUID]) -> Redirect:
    """Give it back: nobody may use it any more."""
    done = _("Given back. Nobody may use it any more; the carrier is asked for the money.")
    return await attempt(request, db, void, actor, label_id, done=done, back=f"{LIST}/{label_id}")


@post(f"{LIST}/{{label_id:uuid}}/void-again", guards=readers)
async def void_again(request: AnyRequest, db: Db, actor: By, label_id: FromPath[UUID]) -> Redirect:
    """Ask a carrier once more that refused the money."""
    done = _("The carrier is asked once more.")
    return await attempt(request, db, try_again, actor, label_id, done=done, back=f"{LIST}/{label_id}")


@get(f"{LIST}/costs", guards=payers)
async def costs_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What labels cost in the last twelve months."""
    first, end = _year(request)
    return page(
        request,
        "labels/costs.html",
        costs=[(cost, round(cost.cost / cost.labels)) for cost in await costs(db, actor, first, end)],
        words=words.FOR_TEMPLATES,
    )


def _year(request: AnyRequest) -> tuple[date, date]:
    """The first day of the twelve months that end with this one, and the day behind them."""
    today = clock.now().astimezone(ZoneInfo(site(request).shop.timezone)).date()
    behind = _months_on(today.replace(day=1), 1)
    return _months_on(behind, -_MONTHS), behind


def _months_on(first: date, months: int) -> date:
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


@get(f"{LIST}/costs.csv", guards=payers)
async def costs_csv(request: AnyRequest, db: Db, actor: By) -> Response[str]:
    """The same as a file: amounts in major units with the currency's own number of places."""
    first, end = _year(request)
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(["month", "carrier", "currency", "labels", "cost", "given_back", "awaited", "net"])
    for cost in await costs(db, actor, first, end):
        writer.writerow([f"{cost.month:%Y-%m}", cost.carrier, cost.currency, cost.labels, *_amounts(cost)])
    return Response(
        written.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="label-costs.csv"'},
    )


def _amounts(cost: Cost) -> list[str]:
    if not cost.currency:
        return ["", "", "", ""]
    minor = (cost.cost, cost.given_back, cost.awaited, cost.cost - cost.given_back)
    return [str(Money(amount, cost.currency).decimal) for amount in minor]


@get("/staff/pickups", guards=readers)
async def pickups_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """The pick-ups that are asked for or planned, the next one first."""
    formats.zone.set(site(request).shop.timezone)
    return page(request, "labels/pickups.html", pickups=await planned_pickups(db, actor), words=words.FOR_TEMPLATES)


@post("/staff/pickups/{pickup_id:uuid}/courier", guards=[requires_staff("support", "warehouse")])
async def name_courier(request: AnyRequest, db: Db, actor: By, pickup_id: FromPath[UUID]) -> Redirect:
    """Say who comes."""
    name = (await form(request)).get("name", "")
    done = _("The customer is told that {name} comes.", name=name)
    return await attempt(request, db, pickups.name_courier, actor, pickup_id, name, done=done, back="/staff/pickups")


routes: list[Any] = [
    labels_page,
    label_page,
    void_label,
    void_again,
    costs_page,
    costs_csv,
    pickups_page,
    name_courier,
]
