"""Settings: typed, documented, and refused by name when they are wrong."""

from pathlib import Path

import pytest

from returns_portal.finance.report import COLUMNS
from returns_portal.settings import Settings, SettingsError, load_settings

README = (Path(__file__).parent.parent / "README.md").read_text()


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_each_setting_is_documented(name: str) -> None:
    assert f"`{name.upper()}`" in README


def test_the_reports_header_is_documented() -> None:
    assert ",".join(column.name for column in COLUMNS) in README


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("DATABASE_URL", "mysql://a/b"),
        ("SECRET_KEY", "short"),
        ("STRIPE_SECRET_KEY", "pk_live_1"),
        ("STRIPE_PUBLISHABLE_KEY", "sk_live_1"),
        ("STRIPE_WEBHOOK_SECRET", "we_1"),
        ("REFUND_DELAY", "-1"),
        ("TRUSTED_PROXIES", "example.org"),
        ("LOG_LEVEL", "loud"),
        ("IMAP_URL", "imap://user:password@mail.example.com"),
        ("IMAP_URL", "imaps://mail.example.com"),
        ("IMAP_ADDRESS", "help+x@shop.example"),
        ("IMAP_ADDRESS", "help@shop.example"),
        ("BASE_URL", None),
        ("SMTP_URL", None),
        ("MAIL_FROM", None),
    ],
)
def test_a_wrong_one_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str | None) -> None:
    if value is not None:
        monkeypatch.setenv(name, value)
    elif name == "BASE_URL":
        monkeypatch.setenv("HOST", "0.0.0.0")  # noqa: S104 - what is refused without https
    elif name == "SMTP_URL":
        monkeypatch.setenv("DEMO", "false")
    else:
        monkeypatch.setenv("SMTP_URL", "smtp://localhost")
    with pytest.raises(SettingsError, match=name):
        load_settings()


def test_the_demo_needs_sandbox_loopback_and_embedded_database_together(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().is_demo
    monkeypatch.setenv("SMTP_URL", "smtp://localhost")
    monkeypatch.setenv("MAIL_FROM", "a@b.example")
    monkeypatch.setenv("SECRET_KEY", "s" * 32)
    for name, value in (
        ("STRIPE_SECRET_KEY", "sk_test_1"),
        ("DATABASE_URL", "postgresql://u@h/d"),
        # A proxy on this machine shows it to everybody.
        ("BASE_URL", "https://shop.example"),
    ):
        monkeypatch.setenv(name, value)
        assert not load_settings().is_demo
        monkeypatch.delenv(name)
    assert load_settings().is_demo
    assert load_settings().undo_seconds == 0
