"""What the people of the demo's year are called, and what they say, in their languages."""

from typing import Final, NamedTuple

from returns_portal.insights.reading import Theme
from returns_portal.service.models import Topic


class Country(NamedTuple):
    """Where customers live, and how they are called there."""

    code: str
    locale: str
    city: str
    postal_code: str
    street: str
    first: tuple[tuple[str, str], ...]
    """Names, each with how it stands in an e-mail address."""
    last: tuple[tuple[str, str], ...]


COUNTRIES: Final = (
    Country(
        "BG", "bg", "Пловдив", "4000", "ул. Иван Вазов",
        (("Ивана", "ivana"), ("Георги", "georgi"), ("Елена", "elena"), ("Стоян", "stoyan"), ("Радка", "radka")),
        (("Димитрови", "dimitrovi"), ("Тодорови", "todorovi"), ("Николови", "nikolovi"), ("Ангелови", "angelovi")),
    ),
    Country(
        "DE", "de", "Hamburg", "20095", "Mönckebergstraße",
        (("Lena", "lena"), ("Jonas", "jonas"), ("Greta", "greta"), ("Matthias", "matthias"), ("Ute", "ute")),
        (("Krüger", "krueger"), ("Schäfer", "schaefer"), ("Vogt", "vogt"), ("Petersen", "petersen")),
    ),
    Country(
        "IE", "en", "Cork", "T12 X8K2", "Patrick Street",
        (("Aoife", "aoife"), ("Conor", "conor"), ("Maeve", "maeve"), ("Liam", "liam"), ("Nora", "nora")),
        (("Byrne", "byrne"), ("Walsh", "walsh"), ("Doyle", "doyle"), ("Keane", "keane")),
    ),
    Country(
        "UA", "uk", "Львів", "79000", "вул. Зелена",
        (("Оксана", "oksana"), ("Тарас", "taras"), ("Леся", "lesia"), ("Андрій", "andrii"), ("Ірина", "iryna")),
        (("Мельник", "melnyk"), ("Шевчук", "shevchuk"), ("Бойко", "boiko"), ("Кравець", "kravets")),
    ),
    Country(
        "LV", "ru", "Рига", "LV-1010", "ул. Бривибас",
        (("Анна", "anna"), ("Игорь", "igor"), ("Марина", "marina"), ("Павел", "pavel"), ("Вера", "vera")),
        (("Озол", "ozol"), ("Витол", "vitol"), ("Берзин", "berzin"), ("Калнин", "kalnin")),
    ),
)  # fmt: skip

REASONS: Final[dict[Theme, dict[str, str]]] = {
    Theme.TOO_SMALL: {
        "bg": "Твърде малки",
        "de": "Zu klein, vorne zu eng",
        "en": "Too small at the toes",
        "uk": "Замалі, тиснуть",
        "ru": "Маломерят, жмут",
    },
    Theme.TOO_LARGE: {
        "bg": "Твърде широка",
        "de": "Zu weit an den Schultern",
        "en": "Too large, one size down would fit",
        "uk": "Завелика",
        "ru": "Великовата",
    },
    Theme.LOOKS: {
        "bg": "Не като на снимката",
        "de": "Die Farbe ist anders als auf dem Bild",
        "en": "The colour is different",
        "uk": "Інший колір",
        "ru": "Другой цвет",
    },
    Theme.LATE: {
        "bg": "Пристигна твърде късно",
        "de": "Kam zu spät",
        "en": "Came late",
        "uk": "Доставили запізно, надто довго",
        "ru": "Опоздали с доставкой",
    },
    Theme.UNLIKED: {
        "bg": "Не ми харесва",
        "de": "Gefällt mir nicht",
        "en": "I do not like it",
        "uk": "Не сподобалося",
        "ru": "Не понравилось",
    },
}

ASKED: Final[dict[Topic, dict[str, tuple[str, str]]]] = {
    Topic.LATE: {
        "bg": ("Кога ще пристигне поръчката ми?", "Куриерът я предава утре. Извинете за забавянето."),
        "de": ("Wann kommt meine Bestellung?", "Sie wird morgen zugestellt. Bitte entschuldigen Sie die Verspätung."),
        "en": ("When does my order come?", "It is delivered tomorrow. We are sorry for the delay."),
        "uk": ("Коли прийде моє замовлення?", "Його доставлять завтра. Вибачте за затримку."),
        "ru": ("Когда придёт мой заказ?", "Его доставят завтра. Извините за задержку."),
    },
    Topic.PRODUCT: {
        "bg": ("Отговаря ли номерът на обичайния?", "Между два номера изберете по-големия."),
        "de": ("Fällt das Modell normal aus?", "Zwischen zwei Größen nehmen Sie bitte die größere."),
        "en": ("Does it run true to size?", "Between two sizes, please take the larger one."),
        "uk": ("Чи відповідає розмір звичайному?", "Між двома розмірами візьміть, будь ласка, більший."),
        "ru": ("Соответствует ли размер обычному?", "Между двумя размерами возьмите, пожалуйста, больший."),
    },
    Topic.RETURN: {
        "bg": ("Как да върна едно от нещата?", "От страницата на поръчката си; етикетът е безплатен."),
        "de": ("Wie schicke ich etwas zurück?", "Über die Seite Ihrer Bestellung; das Etikett kostet nichts."),
        "en": ("How do I send one thing back?", "From the page of your order; the label costs nothing."),
        "uk": ("Як повернути одну з речей?", "Зі сторінки замовлення; етикетка безкоштовна."),
        "ru": ("Как вернуть одну из вещей?", "Со страницы заказа; этикетка бесплатная."),
    },
    Topic.REFUND: {
        "bg": ("Кога ще получа парите си?", "В деня, в който преброим пратката Ви."),
        "de": ("Wann bekomme ich mein Geld?", "An dem Tag, an dem wir Ihr Paket zählen."),
        "en": ("When do I get my money?", "On the day on which we count your parcel."),
        "uk": ("Коли я отримаю гроші?", "У день, коли ми перерахуємо Вашу посилку."),
        "ru": ("Когда я получу деньги?", "В тот день, когда мы пересчитаем Вашу посылку."),
    },
    Topic.DAMAGED: {
        "bg": ("Кутията пристигна смачкана. Какво да направя?", "Съобщете го от страницата на поръчката си, моля."),
        "de": ("Das Paket kam zerdrückt an. Was tun?", "Bitte melden Sie es auf der Seite Ihrer Bestellung."),
        "en": ("The box came crushed. What now?", "Please tell us on the page of your order."),
        "uk": ("Коробка прийшла зім'ята. Що робити?", "Повідомте, будь ласка, на сторінці замовлення."),
        "ru": ("Коробка пришла помятой. Что делать?", "Сообщите, пожалуйста, на странице заказа."),
    },
}
"""What is asked about a topic, and what the demo's support answers."""

DAMAGED: Final = {
    "bg": "Пристигна с петно и скъсан шев.",
    "de": "Kam mit einem Fleck und offener Naht an.",
    "en": "It came with a stain and an open seam.",
    "uk": "Прийшло з плямою і розірваним швом.",
    "ru": "Пришло с пятном и порванным швом.",
}
MISSING: Final = {
    "bg": "Нямаше го в пратката.",
    "de": "Es war nicht im Paket.",
    "en": "It was not in the parcel.",
    "uk": "Цього не було в посилці.",
    "ru": "Этого не было в посылке.",
}
REFUSED: Final = {
    "bg": "Снимките показват следи от носене.",
    "de": "Auf den Bildern sind Spuren vom Tragen zu sehen.",
    "en": "The pictures show that it was worn.",
    "uk": "На знімках видно сліди носіння.",
    "ru": "На снимках видны следы носки.",
}
