"""Fetching parcels from people's homes, and announcing who comes, and when."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from aiohttp import encode_basic_auth, web
from pydantic import SecretStr

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.carriers.gateway import CarrierUnknownError
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.jobs import JobContext
from returns_portal.labels import pickups
from returns_portal.labels.policy import carrier_policy, set_policy
from returns_portal.labels.rules import Policy
from returns_portal.notifications.mailer import Mailer
from returns_portal.notifications.texting import Outbox, dialled, texter_of
from returns_portal.refunds.filing import FiledReturn
from returns_portal.settings import Settings, SettingsError, load_settings
from tests.carriers.worlds import serving
from tests.labels.carried import ADMIN, SUPPORT, Carried

pytestmark = pytest.mark.anyio

MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)
HOME = {"line1": "ul. Vitosha 89", "city": "Sofia", "postal_code": "1463", "country": "BG", "phone": "+359 88 123 4567"}


@pytest.fixture
def monday() -> Any:  # noqa: ANN401 - a generator
    with clock.at(MONDAY):
        yield


@pytest.fixture
async def shop(carried: Carried, monday: None) -> Carried:
    del monday
    await carried.rule("easypost")
    return carried


async def asked(shop: Carried, filed: FiledReturn, **changes: str) -> UUID:
    window = pickups.windows(clock.now(), "Europe/Sofia")[0]
    async with shop.portal.begin() as db:
        return await pickups.request(db, SYSTEM, filed.rma, window.begins, {**HOME, **changes})


async def pickup(shop: Carried) -> Any:  # noqa: ANN401 - a row
    [row] = await shop.portal.rows("SELECT * FROM pickup ORDER BY id DESC LIMIT 1")
    return row


def test_windows_are_halves_of_working_days_in_the_shops_zone() -> None:
    friday = datetime(2026, 11, 20, 9, tzinfo=UTC)
    found = pickups.windows(friday, "Europe/Sofia")
    assert len(found) == 10
    assert found[0].begins.isoformat() == "2026-11-23T09:00:00+02:00"
    assert found[1].ends.isoformat() == "2026-11-23T18:00:00+02:00"
    assert {window.begins.weekday() for window in found} == {0, 1, 2, 3, 4}


async def test_the_carrier_comes_and_the_customer_knows_when(shop: Carried) -> None:
    filed, label = await shop.bought()
    await asked(shop, filed)
    assert (await pickup(shop)).status == "requested"
    await shop.portal.work()
    planned = await pickup(shop)
    assert (planned.status, planned.label_id) == ("scheduled", label.id)
    assert planned.confirmation.startswith("WTC")
    [booked] = shop.easypost.server.pickups.values()
    assert booked["min_datetime"] == "2026-11-17T07:00:00Z"
    assert booked["address"]["street1"] == HOME["line1"]
    [mail] = await shop.portal.rows("SELECT values FROM email WHERE template = 'pickup'")
    assert (mail.values["begins"], mail.values["ends"], mail.values["courier"]) == ("09:00", "13:00", "")


async def test_a_pick_up_without_an_answer_is_booked_once(shop: Carried) -> None:
    filed, _ = await shop.bought()
    which = await asked(shop, filed)
    shop.easypost.faults.set("book_pickup", "lost after")
    with pytest.raises(CarrierUnknownError):
        await pickups.book(shop.context, which)
    assert (await pickup(shop)).carrier_ref in shop.easypost.server.pickups
    await pickups.book(shop.context, which)
    assert (await pickup(shop)).status == "scheduled"
    assert shop.easypost.server.calls.count("book_pickup") == 1


async def test_where_nobody_comes_the_customer_is_told_to_hand_it_in(shop: Carried) -> None:
    filed, _ = await shop.bought()
    await asked(shop, filed)
    shop.easypost.faults.set("prepare_pickup", "refused")
    await shop.portal.work()
    assert (await pickup(shop)).status == "refused"
    [mail] = await shop.portal.rows("SELECT values FROM email WHERE template = 'pickup'")
    assert mail.values["refused"] is True
    # Another time may do.
    await asked(shop, filed)
    await shop.portal.work()
    assert (await pickup(shop)).status == "scheduled"


async def test_a_pick_up_is_planned_once_and_can_be_called_off(shop: Carried) -> None:
    filed, _ = await shop.bought()
    await asked(shop, filed)
    with pytest.raises(ConflictError):
        await asked(shop, filed)
    await shop.portal.work()
    async with shop.portal.begin() as db:
        await pickups.cancel(db, SYSTEM, filed.rma)
    await shop.portal.work()
    assert (await pickup(shop)).status == "cancelled"
    [booked] = shop.easypost.server.pickups.values()
    assert booked["status"] == "canceled"


@pytest.mark.parametrize("field", ["line1", "city", "postal_code", "phone"])
async def test_an_address_needs_all_its_parts(shop: Carried, field: str) -> None:
    filed, _ = await shop.bought()
    for wrong in ("", "x" * 200, "a\nb"):
        with pytest.raises(InvalidError) as caught:
            await asked(shop, filed, **{field: wrong})
        assert caught.value.field == field


async def test_only_windows_that_are_offered_can_be_had_and_only_of_ones_own_return(shop: Carried) -> None:
    filed, _ = await shop.bought()
    async with shop.portal.begin() as db:
        with pytest.raises(InvalidError):
            await pickups.request(db, SYSTEM, filed.rma, MONDAY - timedelta(days=1), HOME)
        stranger = Actor(kind="customer", order_id=filed.id)
        with pytest.raises(NotFoundError):
            await pickups.request(db, stranger, filed.rma, MONDAY, HOME)


async def test_a_prepaid_parcel_is_handed_in_unless_the_shop_has_a_courier(carried: Carried, monday: None) -> None:
    del monday
    filed = await carried.filed()
    with pytest.raises(ConflictError):
        await asked(carried, filed)
    async with carried.portal.begin() as db:
        await set_policy(db, ADMIN, _with_courier(await carrier_policy(db)))
    await asked(carried, filed)
    assert (await pickup(carried)).status == "scheduled"
    await carried.portal.work()
    assert (await carried.portal.mails())[-1] == "pickup"


def _with_courier(policy: Policy) -> Policy:
    return Policy(
        policy.void_days,
        policy.label_days,
        policy.stuck_days,
        policy.lost_days,
        policy.transit_days,
        policy.item_grams,
        own_courier=True,
    )


class Twilio:
    """Answers as Twilio's Messages resource does."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        self.status = 201
        self.cut = False
        self.app = web.Application()
        self.app.add_routes([web.post("/2010-04-01/Accounts/AC1/Messages.json", self._post)])

    async def _post(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == encode_basic_auth("AC1", "secret")
        if self.status == 201:
            self.sent.append({name: str(value) for name, value in (await request.post()).items()})
        if self.cut:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"sid": "SM1"}, status=self.status)


@pytest.fixture
async def twilio(shop: Carried) -> AsyncIterator[Twilio]:
    server = Twilio()
    async with serving(server.app) as base:
        url = base.replace("http://", "twilio+http://AC1:secret@") + "/+35970012345"
        settings = shop.portal.settings.model_copy(update={"sms_url": SecretStr(url)})
        services = [one for one in shop.context._services if not isinstance(one, Settings | Mailer)]
        shop.portal.context = JobContext(shop.portal.begin, settings, Mailer(settings), *services)
        yield server


async def named(shop: Carried) -> None:
    async with shop.portal.begin() as db:
        await pickups.name_courier(db, SUPPORT, (await pickup(shop)).id, "Oleksandr")


async def test_who_comes_and_when_is_announced_by_sms_and_once_more_shortly_before(
    shop: Carried, twilio: Twilio
) -> None:
    filed, _ = await shop.bought()
    await asked(shop, filed)
    await shop.portal.work()
    assert twilio.sent == []
    await named(shop)
    await shop.portal.work()
    assert twilio.sent == [
        {
            "To": "+359881234567",
            "From": "+35970012345",
            "Body": "Nord & Sund: куриерът Oleksandr ще дойде на вт, 17 ноември между 09:00 и 13:00 ч.",
        }
    ]
    with clock.at(datetime(2026, 11, 17, 5, 5, tzinfo=UTC)):
        for _ in range(2):
            await pickups.sweep(shop.portal.begin)
            await shop.portal.work()
        assert twilio.sent[1:] == [
            {
                "To": "+359881234567",
                "From": "+35970012345",
                "Body": "Nord & Sund: куриерът Oleksandr ще бъде при вас след 2 часа.",
            }
        ]
    assert (await shop.portal.mails()).count("pickup") == 3


async def test_an_sms_that_may_have_gone_out_is_not_sent_again(shop: Carried, twilio: Twilio) -> None:
    filed, _ = await shop.bought()
    await asked(shop, filed)
    await shop.portal.work()
    twilio.cut = True
    await named(shop)
    await shop.portal.work()
    await shop.portal.work()
    assert len(twilio.sent) == 1
    [row] = await shop.portal.rows("SELECT status FROM sms")
    assert row.status == "unknown"


@pytest.mark.parametrize(("status", "left"), [(400, "failed"), (503, "queued")])
async def test_an_sms_that_was_refused_is_over_and_one_that_was_delayed_is_not(
    shop: Carried, twilio: Twilio, status: int, left: str
) -> None:
    filed, _ = await shop.bought()
    await asked(shop, filed)
    await shop.portal.work()
    twilio.status = status
    await named(shop)
    await shop.portal.work()
    [row] = await shop.portal.rows("SELECT status, error FROM sms")
    assert (row.status, row.error) == (left, str(status))


async def test_what_is_over_is_closed(shop: Carried) -> None:
    filed, _ = await shop.bought()
    await asked(shop, filed)
    await shop.portal.work()
    with clock.at(MONDAY + timedelta(days=3)):
        await pickups.sweep(shop.portal.begin)
    assert (await pickup(shop)).status == "done"
    async with shop.portal.begin() as db:
        with pytest.raises(ConflictError):
            await pickups.name_courier(db, SUPPORT, (await pickup(shop)).id, "Oleksandr")


@pytest.mark.parametrize(
    ("typed", "number"),
    [("+359 88 123-4567", "+359881234567"), ("00359881234567", "+359881234567"), ("088 123 4567", ""), ("+12", "")],
)
def test_only_international_numbers_get_an_sms(typed: str, number: str) -> None:
    assert dialled(typed) == number


@pytest.mark.parametrize("url", ["https://x.example/", "twilio://AC1@api.twilio.com/+35970012345", "twilio://a:b@c/+1"])
def test_an_address_that_cannot_be_used_is_refused_at_start(url: str) -> None:
    with pytest.raises(SettingsError, match="SMS_URL"):
        load_settings(sms_url=url)


def test_without_an_address_nobody_sends_but_the_demos_outbox(settings: Settings) -> None:
    assert isinstance(texter_of(settings), Outbox)
    assert texter_of(settings.model_copy(update={"demo": False})) is None
