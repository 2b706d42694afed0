"""What the e-mails say."""

import re
from html import unescape
from html.parser import HTMLParser
from typing import get_args

import minijinja
import pytest
from pydantic import SecretStr

from returns_portal.notifications.actions import Template
from returns_portal.notifications.rendering import SUBJECT_LENGTH, Rendered, render_email
from returns_portal.resources import templates_dir
from returns_portal.settings import Settings
from returns_portal.shop.queries import DEFAULT
from returns_portal.web.links import viewed
from tests.notifications.samples import RMA, SAMPLES, URL

ALL: list[Template] = sorted(get_args(Template))


class _Text(HTMLParser):
    """The words and links of an HTML e-mail, and whether its elements are closed."""

    VOID = frozenset({"meta", "br", "img"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words = ""
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.links += [value for name, value in attrs if name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words += data


def render(template: str, settings: Settings, **changes: object) -> Rendered:
    values = SAMPLES[template] | changes  # type: ignore[index]  # a template by its folder's name
    return render_email(template, "en", values, DEFAULT, settings)


def test_every_folder_is_a_template_and_has_its_three_files() -> None:
    folders = sorted(path.name for path in (templates_dir() / "email").iterdir() if path.is_dir())
    assert folders == ALL == sorted(SAMPLES)
    for folder in folders:
        for name in ("subject.txt", "body.txt", "body.html"):
            assert (templates_dir() / "email" / folder / name).is_file()


@pytest.mark.parametrize("template", ALL)
def test_each_says_the_same_as_text_and_as_html(template: Template, settings: Settings) -> None:
    mail = render(template, settings)
    html = _Text(mail.html)
    assert html.open == []
    assert mail.subject
    assert "\n" not in mail.subject
    values = SAMPLES[template]
    # Trials and exchanges tell their return's number on its own pages, and put codes into words.
    own = template.startswith(("trial_", "exchange_"))
    said = ("number", "name") if own else ("rma", "code", "order_number", "name", "reason")
    for name in said:
        if name in values:
            assert str(values[name]) in mail.text
            assert str(values[name]) in html.words
    if "url" in values:
        assert URL in mail.text
        assert URL in html.links
    if template == "refunded":
        assert "12,860 points" in mail.text
        assert "12,860 points" in html.words


def test_what_is_in_no_catalogue_is_kept_in_mind_without_its_name(settings: Settings) -> None:
    mail = render_email("request_kept", "en", {**SAMPLES["request_kept"], "topic": ""}, DEFAULT, settings)
    assert mail.subject == "We keep it in mind"
    assert "We keep it in mind" in _Text(mail.html).words
    assert "\n\n\n" not in mail.text


@pytest.mark.parametrize("template", ALL)
def test_the_shop_can_be_reached_from_each(template: Template, settings: Settings) -> None:
    mail = render(template, settings)
    html = _Text(mail.html)
    for fact in (DEFAULT.name, DEFAULT.phone, DEFAULT.email):
        assert fact in mail.text
        assert fact in html.words
    assert f"mailto:{DEFAULT.email}" in html.links
    assert "tel:+35970012345" in html.links


@pytest.mark.parametrize("template", ALL)
def test_the_sandbox_is_named_unless_money_moves(template: Template, settings: Settings) -> None:
    live = Settings(
        stripe_secret_key=SecretStr("sk_live_x"),
        smtp_url=SecretStr("smtps://mail.example"),
        mail_from="help@shop.example",
    )
    for face in (render(template, settings).text, render(template, settings).html):
        assert "no money moves" in face
    for face in (render(template, live).text, render(template, live).html):
        assert "Sandbox" not in face


@pytest.mark.parametrize("template", ALL)
def test_a_value_that_is_missing_is_an_error_that_quotes_nothing(template: Template, settings: Settings) -> None:
    values = {**SAMPLES[template]}
    values.popitem()
    for name in ("code", "url"):
        values.pop(name, None)
    with pytest.raises(minijinja.TemplateError) as error:
        render_email(template, "en", values, DEFAULT, settings)
    assert "Trail Runner" not in str(error.value)
    assert "Олена" not in str(error.value)


@pytest.mark.parametrize("template", ALL)
def test_what_people_typed_stays_text(template: Template, settings: Settings) -> None:
    evil = "<script>alert(1)</script>"
    changes = {name: evil for name in ("name", "reason", "order_number", "title") if name in SAMPLES[template]}
    mail = render(template, settings, **changes)
    assert "<script" not in mail.html
    assert not changes or "&lt;script&gt;" in mail.html


def test_a_subject_stays_one_short_line(settings: Settings) -> None:
    mail = render("return_filed", settings, rma="R-1\r\nBcc: everybody@example.org")
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject
    assert len(render("return_filed", settings, rma="R" * 1000).subject) == SUBJECT_LENGTH


def test_points_are_points_and_money_is_money(settings: Settings) -> None:
    assert render("refunded", settings).subject == f"Return {RMA}: 12,860 points for you"
    card = render("refunded", settings, destination="original", bonus=0, card_last4="4242")
    assert card.subject == f"Return {RMA}: €116.91 refunded"
    assert "card ending in 4242" in card.text
    yen = render("refunded", settings, destination="transfer", bonus=0, currency="JPY")
    assert "¥11,691" in yen.text
    assert "account that you gave us" in yen.text


def test_one_point_is_a_point(settings: Settings) -> None:
    assert "1 point for you" in render("refunded", settings, amount=1, bonus=0).subject


def test_a_withdrawal_is_confirmed_with_content_date_and_time(settings: Settings) -> None:
    mail = render("withdrawal_received", settings)
    assert "22 November 2026, 03:40:05 Eastern European Standard Time" in mail.text
    for said in ("Олена Шевченко", "1042", "olena@example.org", "Both pairs, bought on 3 November <yes> & fully."):
        assert said in mail.text
        assert said in _Text(mail.html).words
    assert mail.subject == "We have received your withdrawal from order 1042: here is your label"
    for said in ("2 × Trail Runner GTX, 42, Navy", "€116.91", RMA, "Hand the parcel in and keep the receipt."):
        assert said in mail.text
        assert said in _Text(mail.html).words


def test_a_withdrawal_from_no_known_order_is_confirmed_all_the_same(settings: Settings) -> None:
    values = {
        name: SAMPLES["withdrawal_received"][name] for name in ("name", "order_number", "submitted_at", "content")
    }
    unknown = render_email("withdrawal_received", "en", {**values, "rma": None}, DEFAULT, settings)
    assert unknown.subject == "We have received your withdrawal from order 1042"
    assert "None" not in unknown.text + unknown.html
    assert "We look up your order now" in unknown.text
    assert "label" not in unknown.text


@pytest.mark.parametrize(
    ("decision", "sentence"),
    [
        ("accept", "take it back in full: €80.00."),
        ("part", "take it back, for €80.00."),
        ("send_back", "cannot take it back. It is on its way to you again."),
    ],
)
def test_a_decision_is_told_with_its_reason(settings: Settings, decision: str, sentence: str) -> None:
    mail = render("decision_made", settings, decision=decision)
    assert sentence in mail.text
    assert sentence in _Text(mail.html).words
    assert "The reason" not in render("decision_made", settings, reason="").text


def test_a_decision_that_pays_nothing_does_not_tell_of_an_amount(settings: Settings) -> None:
    mail = render("decision_made", settings, decision="accept", amount=0)
    assert "Nothing is left to refund for it." in mail.text
    assert "€0.00" not in mail.text + mail.html


def test_what_waits_is_told_and_what_does_not_is_not(settings: Settings) -> None:
    assert "One of us looks at it" in render("checked_in", settings).text
    calm = render("checked_in", settings, waiting=False, refunds=[], lines=[])
    assert "One of us looks at it" not in calm.text
    assert "What we send you now" not in calm.text
    assert "The parcel was empty." in calm.text


def test_a_path_becomes_a_link_that_shows_its_page(settings: Settings) -> None:
    mail = render("refund_failed", settings, url="/returns/R-1")
    shown = re.search(r"http://127.0.0.1:8000/v/(\S+)", mail.text)
    assert shown
    assert viewed(settings, shown[1]) == "/returns/R-1"


def test_a_page_of_no_order_is_led_to_as_it_is(settings: Settings) -> None:
    assert "http://127.0.0.1:8000/points\n" in render("points_expiring", settings, url="/points").text


def test_the_code_of_a_second_parcel_is_linked_to_by_itself(settings: Settings) -> None:
    mail = render("label_ready", settings, url="/returns/R-1", number=2)
    shown = [viewed(settings, token) for token in re.findall(r"http://127.0.0.1:8000/v/([\w-]+)", unescape(mail.html))]
    assert sorted(map(str, shown)) == ["/returns/R-1", "/returns/R-1/qr?parcel=2"]


def test_an_unknown_language_is_english(settings: Settings) -> None:
    mail = render_email("access_code", "xx-YY", SAMPLES["access_code"], DEFAULT, settings)
    assert '<html lang="en">' in mail.html


def test_the_last_day_of_a_trial_is_the_day_before_its_midnight(settings: Settings) -> None:
    # The trial of the sample ends at midnight in Sofia, two hours before it does in UTC.
    mail = render("trial_reminder", settings)
    assert mail.subject == "Order T-7K3M-9QXD: your trial ends on Sunday 29 November"
    assert "at the end of Sunday 29 November" in mail.text
    assert "the last day of your trial is" in render("trial_reminder", settings, last=True).subject


def test_a_reminder_names_what_is_open_and_what_silence_means(settings: Settings) -> None:
    mail = render("trial_reminder", settings)
    for face in (mail.text, _Text(mail.html).words):
        assert "Trail Runner GTX, 41, Navy" in face
        assert "Trail Runner GTX, 42, Navy" not in face
        assert "What you say nothing about by then counts as kept" in face
        assert "At most €277.79 can be charged." in face
    silent = render("trial_reminder", settings, silence_keeps=False).text
    assert "What you say nothing about is not charged" in silent


def test_an_order_that_was_not_sent_says_until_when_a_card_is_awaited(settings: Settings) -> None:
    until = "2026-11-24T10:00:00Z"
    for text in (
        render("trial_hold_expired", settings, until=until).text,
        render("trial_hold_expired", settings, until=until).html,
    ):
        assert "If no card is given before" in text
        assert "24 November 2026" in text
        assert "you can go on trying" not in text
    assert "you can go on trying" in render("trial_hold_expired", settings).text


def test_an_order_that_the_shop_called_off_says_why(settings: Settings) -> None:
    assert "no other card was given in time" in render("trial_cancelled", settings, why="no_card").text
    assert "Settle one of them" in render("trial_cancelled", settings, why="too_many_trials").html


def test_a_settled_trial_says_what_is_kept_and_what_came_back(settings: Settings) -> None:
    mail = render("trial_settled", settings)
    assert mail.subject == "Order T-7K3M-9QXD: €129.90 for what you keep"
    for face in (mail.text, _Text(mail.html).words):
        assert "€129.90 of it were charged to your card ending in 4242 now." in face
        assert "Wool Beanie <b>&" in face
        assert "Back with us, and not charged:" in face
    nothing = render("trial_settled", settings, charged=0, charged_now=0, items=[])
    assert nothing.subject == "Order T-7K3M-9QXD is settled: you pay nothing"
    assert "Back with us" not in nothing.text


def test_what_was_bought_is_not_called_a_trial(settings: Settings) -> None:
    for template in ("trial_authorised", "trial_shipped", "trial_delivered"):
        mail = render(template, settings, mode="purchase", ends_at=None)
        assert "trial" not in mail.text.lower()
        assert "trial" not in _Text(mail.html).words.lower()
    assert "You have paid €277.79." in render("trial_authorised", settings, mode="purchase").text


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("insufficient_funds", "not enough money on the card"),
        ("authentication_required", "wants you to confirm it yourself"),
        ("something_new", "refused it, without saying why"),
        ("", "refused it, without saying why"),
    ],
)
def test_a_banks_code_is_said_in_words(settings: Settings, code: str, said: str) -> None:
    for template in ("trial_authorisation_failed", "trial_action_needed"):
        mail = render(template, settings, reason=code)
        assert said in mail.text
        assert said in _Text(mail.html).words
        assert not code or code not in mail.text
