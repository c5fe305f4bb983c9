"""What is said of a wrong value and of a brought table is messages: in the tests' own language no word of English is
left but what was typed and the names that code has; and JSON keeps its English, byte for byte."""

import re
from itertools import chain
from pathlib import Path

import pytest
from httpx import AsyncClient
from test_errors import FAILURES, told
from test_language import PEOPLE, WORD, Reader, english, past_the_messages
from test_messages import wide
from test_pages import HTMX, made, within
from test_tables import GUESSES, REFUSED, read

from app.data.table import WrongData
from app.draw.lens import LENSES
from app.failures import Busy, Full, Refused, TooMany
from app.words.texts import speaking, text
from engine import FIELDS
from engine.language import CALLED, FUNCTIONS_OF
from engine.operations import OPERATIONS

QUOTED = re.compile(r"“[^”]*”|'[^']*'|<[^>]*>|[\w.]+_[\w.]+")
CHOICES = chain.from_iterable(field.choices for field in FIELDS.values())
CODE = {*CHOICES, *FIELDS, *OPERATIONS, *FUNCTIONS_OF, *CALLED, *LENSES, "post", "api", "runs", "float", "list"}
SETTINGS: dict[str, tuple[str, ...]] = dict.fromkeys(FIELDS, ("99999999", "meant")) | {
    "hidden": ("0", "99", "2,2,2,2,2,2,2,2,2"),
    "layers": (
        "9",
        "dense 4 tanh, shortcut 4",
        "dense 4 tanh, dense 2 tanh, shortcut 1",
        "dense 4 tanh, max_pool 2",
        "conv2d 4 3x3 1 same relu",
        "dense 4 tanh 5",
        "shortcut 9",
    ),
    "parameters": ("[1]", "x", '[{"W": [[1]], "b": [1]}]'),
    "loss": ("binary_cross_entropy", "cross_entropy"),
    "frozen": ("W9.9.9",),
    "features": ("x9",),
    "data": ("x",),
}
LINKS = (
    "dataset=circles",
    "hidden=0",
    "nothing=1",
    "edits=x",
    "edits=1:x:2",
    "select=q",
    "lens=x",
    "moment=x",
    "step=x",
)
FORMULAS = ("", "a +", "a ** b ** c", "a = 1", "1", "[a, b]", "f(a)", "tanh(a, b)", "dot(a)", "a ; b", "a = a", "a b")
FORMULAS += ("(" * 30 + "a", "a\na = 2", "a[3]", "1e99 * a", "import a", "a if b else c", "tanh(x=1)", "-" * 30 + "a")


def spoken(told: str, *known: str) -> list[str]:
    """The English in what is said of a wrong value, but for what was typed and the names that code has."""
    typed = {word for each in known for word in WORD.findall(each.lower())}
    return [word for word in english(QUOTED.sub("", told)) if word not in CODE | typed]


def test_what_is_refused_is_said_by_messages(tmp_path: Path) -> None:
    """Forms, links, edits and formulas of all kinds: the page has its own words for it, and JSON keeps its English."""

    async def work(client: AsyncClient) -> None:
        run = await made(client)
        sent = [
            (f"/runs/{run}/edit", {"field": name, "value": value}) for name, each in SETTINGS.items() for value in each
        ]
        sent += [("/runs", {name: value}) for name, each in SETTINGS.items() for value in each]
        sent += [(f"/runs/{run}/step", {"count": "0"}), (f"/runs/{run}/edit", {"field": "W9.1.1", "value": "1"})]
        for path, form in sent:
            answer = await client.post(path, data=form, headers=HTMX)
            if answer.status_code == 422:
                assert not [each for each in past_the_messages(answer.text) if spoken(each, *form.values())], form
        answers = [await client.get(f"/?{link}", headers=PEOPLE) for link in LINKS]
        answers += [await client.get("/graph", params={"source": each}, headers=PEOPLE) for each in FORMULAS]
        for answer in answers:
            reader = Reader(frozenset({"code", "lessons"}))
            reader.feed(answer.text)
            assert not [each for each in reader.said if spoken(each, str(answer.url))], answer.url
        api = await client.post("/api/v1/runs", json={"hidden": [0]})
        assert api.json()["errors"][0]["allowed"] == "a whole number from 1 to 256"

    with speaking(wide):
        within(tmp_path, work)


def test_every_failure_is_said_by_messages() -> None:
    """To people each kind of it on a page of its own, with its reason and the parts of that; to programs in English."""
    reasons = (
        TooMany("{count} rooms in all; come back later", 600, count=3),
        Refused("the room is full: {most} students", most=2),
        Busy("at most {most} heavy computations of one visitor at once", 429, most=2),
        Full("as many screens watch as there may be"),
    )
    for failure in (*reasons, *(each for each, _, _ in FAILURES)):
        english_detail = told(failure).body
        with speaking(wide):
            assert told(failure).body == english_detail
            reader = Reader(frozenset())
            reader.feed(bytes(told(failure, "text/html").body).decode())
            assert not [each for each in reader.said if spoken(each)], failure


@pytest.mark.parametrize("name", [*GUESSES, *REFUSED])
def test_what_is_understood_of_a_table_is_said_by_messages(name: str) -> None:
    """Every note, its other reading, and every refusal; a table that is kept is told in any language."""
    source = GUESSES[name][0] if name in GUESSES else REFUSED[name][0]
    try:
        notes = read(source)[1].notes
        told = [*(note.sentence for note in notes), *(note.other for note in notes)]
    except WrongData as error:
        told = [error.sentence]
    typed = source if isinstance(source, str) else ""
    with speaking(wide):
        assert not [each for each in told if each and spoken(text(each), typed[:1000])]
