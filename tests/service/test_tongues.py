"""The language of an e-mail, by what it says."""

import pytest

from returns_portal.service.tongues import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Guten Tag, gibt es die Schuhe auch in Größe 38? Vielen Dank!", "de"),
        ("Hallo, wann kommt mein Paket? Danke", "de"),
        ("Hello, when does my parcel arrive?", "en"),
        ("Is this jacket waterproof? Thanks", "en"),
        ("Доброго дня! Чи є 38 розмір? Дякую.", "uk"),
        ("Коли прийде моє замовлення?", "uk"),
        ("Здравствуйте, когда придёт мой заказ?", "ru"),
        ("Подскажите, пожалуйста, где мои ботинки", "ru"),
        ("Здравейте, кога ще дойде поръчката ми?", "bg"),
        ("Имате ли ги в размер 38? Благодаря", "bg"),
    ],
)
def test_small_words_tell_the_language(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("text", ["", "–", "1002", "ok", "Boot 38?", "Bonjour, où est mon colis ?", "размер 38", "😀"])
def test_what_is_not_clear_is_not_known(text: str) -> None:
    assert not language_of(text)
