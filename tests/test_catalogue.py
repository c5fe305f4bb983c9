"""Every message can be translated by the tool of the field: Babel lists what the product can say, and the page speaks a
catalogue that it compiles."""

import ast
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from httpx import AsyncClient
from test_pages import HTMX, made, within

from app.words.catalogue import PACKAGES, messages, of_python
from app.words.scripts import MESSAGES as OF_SCRIPTS
from app.words.sentences import MESSAGES
from app.words.texts import speaking
from engine import ACTIVATIONS, DATASETS, FEATURES, FIELDS, INITIALIZERS, LOSSES, OPTIMIZERS, PENALTIES, SCHEDULES
from engine.operations import OPERATIONS
from engine.wording import Said
from machine import ROOT

TABLES = (ACTIVATIONS, DATASETS, FEATURES, FIELDS, INITIALIZERS, LOSSES, OPERATIONS, OPTIMIZERS, PENALTIES, SCHEDULES)


def known() -> set[str]:
    """What the tables hold that is said to people."""
    entries = [entry for table in TABLES for entry in table.values()]
    told = {getattr(entry, name, "") for entry in entries for name in ("title", "sentence", "costly", "how", "by")}
    told = {each.message if isinstance(each, Said) else each for each in told}
    forms = {form for message in MESSAGES.values() for form in message.forms}
    return (told | forms | {*OF_SCRIPTS.values()}) - {""}


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What Babel makes of the repository, as a translator asks it to."""
    path = tmp_path_factory.mktemp("babel") / "messages.pot"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        CommandLineInterface().run(["pybabel", "-q", "extract", "-F", "pyproject.toml", "-o", str(path), "."])
    with path.open("rb") as file:
        return read_po(file)


def test_babel_lists_every_message(listed: Catalog) -> None:
    """No message is known that Babel does not list, with its module and line; and every table is among them."""
    found = {message.id: message.locations for message in listed if message.id}
    assert found.keys() == messages()
    assert found.keys() >= known()
    for path, line in found["a number from {low} to {high}"]:
        assert "a number from {low} to {high}" in (ROOT / path).read_text(encoding="utf-8").splitlines()[line - 1]


GERMAN = {
    "{field}: {sentence}": "{field} – {sentence}",
    "Batch size": "Stapel",
    "{value} is not allowed: it must be {allowed}.": "{value} geht nicht, erlaubt ist {allowed}.",
    "a whole number from {low:.0f} to {high:.0f}": "eine ganze Zahl von {low:.0f} bis {high:.0f}",
    "What was understood": "Was verstanden wurde",
    "{name} holds words: it is the column to predict.": "{name} hat Wörter und wird also vorhergesagt.",
}


def test_a_catalogue_is_what_the_page_speaks(listed: Catalog, tmp_path: Path) -> None:
    """Compiled by Babel and read by gettext; programs are told in English as before."""
    catalogue, compiled = Catalog("de"), BytesIO()
    for message, translated in GERMAN.items():
        assert message in listed
        catalogue.add(message, translated)
    write_mo(compiled, catalogue)
    compiled.seek(0)

    async def work(client: AsyncClient) -> None:
        run = await made(client)
        refused = await client.post(f"/runs/{run}/edit", data={"field": "batch_size", "value": "0"}, headers=HTMX)
        assert "stapel – 0 geht nicht, erlaubt ist eine ganze Zahl von 1 bis 10000." in refused.text
        brought = await client.post("/data", data={"csv": "kind,a,b\nx,1.5,2\ny,2.5,1\nx,0.5,4\n"}, headers=HTMX)
        assert "Was verstanden wurde" in brought.text
        assert "kind hat Wörter und wird also vorhergesagt." in brought.text
        told = await client.post("/api/v1/runs", json={"batch_size": 0})
        assert "a whole number from 1 to 10000" in told.text

    with speaking(GNUTranslations(compiled).gettext):
        within(tmp_path, work)


LAST = dict.fromkeys(("said", "text", "SpecError", "BadQuestion", "WrongData", "Refused", "Full"), -1)
SAYING = {**LAST, "TooMany": 0, "Busy": 0}  # the place of the message


def test_a_message_is_whole() -> None:
    """Where one is wanted no text is put together: a translation would not find it."""
    for glued in ("raise Refused(f'{most} rooms')", "Busy(f'at most {most} at once', 503)"):
        with pytest.raises(ValueError, match="not put together"):
            list(of_python(BytesIO(glued.encode()), (), (), {}))


def test_a_message_gets_the_parts_that_it_names() -> None:
    """Wherever a literal is said with its parts: none is missing and none is too many."""
    wrong = []
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if not isinstance(node, ast.Call) or name not in SAYING or not node.keywords:
                continue
            given = {each.arg for each in node.keywords} - {"retry_after"}
            message = node.args[SAYING[name]]
            if None not in given and isinstance(message, ast.Constant):
                named = {name for _, name, _, _ in Formatter().parse(message.value) if name is not None}
                wrong += [f"{path.name}:{node.lineno}"] if named != given else []
    assert not wrong
