"""Every page in the tests' own language: whatever still reads as English was said past `app.words.texts`.

Lessons' prose, code, what people typed and what the engine says of a wrong value are excepted; and no template has a
bare word in it.
"""

import json
import re
from html.parser import HTMLParser
from itertools import chain, product
from pathlib import Path

import pytest
from httpx import AsyncClient, Response
from test_messages import nothing_in_english, wide
from test_pages import HTMX, made, within

from app.assets import TEMPLATES
from app.learn.exercises import TYPES
from app.words.texts import speaking

SAID = ("title", "aria-label", "placeholder", "alt", "aria-valuetext", "aria-roledescription", "data-tip")
NOT_SAID = {"script", "style", "code", "pre", "kbd", "textarea", "math"}
NAMES = {"max", "min", "sign", "exp", "tanh"}
EMPTY = {"meta", "link", "input", "br", "img", "rect", "path", "circle", "line", "image", "use", "hr"}


class Reader(HTMLParser):
    """Everything that a page says: its texts, and the attributes that are read out or shown."""

    def __init__(self, skip: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.said: list[str] = []
        self.silent, self.skip = 0, skip
        self.open: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        silent = tag in NOT_SAID or bool(self.skip & {*given.get("class", "").split(), given.get("id", "")})
        if not self.silent and not silent:
            self.said += [given[name] for name in SAID if given.get(name)]
            if tag == "meta" and given.get("name") == "description":
                self.said.append(given.get("content", ""))
        if tag not in EMPTY:
            self.open.append(silent)
            self.silent += silent

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY and self.open:
            self.silent -= self.open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        if not self.silent and data.strip():
            self.said.append(" ".join(data.split()))


WORD = re.compile(r"(?<![a-z_\d.])[a-z]{3,}(?![\w_])")


def english(said: str) -> list[str]:
    """The words of a text that no message has said."""
    return [word for word in WORD.findall(said.lower()) if word not in NAMES]


WORDS = re.compile(r'<script type="application/json" class="words">(.*?)</script>')


def past_the_messages(html: str, *skip: str) -> list[str]:
    """What a page says in English, but for elements of these classes or ids."""
    reader = Reader(frozenset(skip))
    reader.feed(html)
    scripts = (json.loads(block).values() for block in WORDS.findall(html))
    said = (re.sub(r"\{\w+\}", "", each) for each in chain(reader.said, *scripts))
    return sorted({each for each in said if english(each)})


def test_a_page_is_read() -> None:
    """Texts, attributes and what scripts say are seen, code and what is excepted is not."""
    page = '<p title="Look"><b>two</b> <code>def</code> <i class="prose">left out</i></p><svg><text>words</text></svg>'
    script = '<script type="application/json" class="words">{"step":"Say {step}"}</script>'
    assert past_the_messages(page + script, "prose") == ["Look", "Say ", "two", "words"]


PAGES = (
    "/", "/?example=8&moment=0", "/?example=8&moment=3&select=W1.1.1&lens=activations", "/?moment=0&grain=layer",
    "/?example=8&moment=999", "/?moment=999", "/?lens=gradients&select=a1.1", "/?lens=updates&tests=on&discrete=on",
    "/?optimizer=adam&schedule=exponential&regularization=l1&select=W1.1.1&hidden=",
    "/?dataset=digits16&hidden=12&tests=on", "/?dataset=line&hidden=40,40&select=b1.1",
    "/?layers=dense 4 tanh, dropout 0.2, dense 4 relu, shortcut 1&example=8&moment=30",
    "/?learning_rate=1000000&activation=identity&step=60", "/embed?example=8&moment=12", "/embed",
    "/graph", "/graph?at=0", "/graph?at=9&grain=edge", "/data", "/class", "/learn/practice",
    "/learn/practice?type=loss", "/learn/practice?type=direction", "/nowhere", "/runs/nothing/frame", "/learn/nowhere",
)  # fmt: skip
FRAGMENTS = (
    "table", "health", "slice?address=W1.1.1", "nudge?address=W1.1.1&amount=0.1", "wishes?address=b1.1", "check",
    "contour?address=W1.1.1&other=W1.1.2", "frame?example=3&moment=7&select=W1.1.1", "frame?lens=updates",
)  # fmt: skip
NOT_OURS = ("code", "lessons", "notes", "error", "room-code-field", "data-table")
PEOPLE = {"Accept": "text/html"}


@pytest.mark.parametrize("address", PAGES)
def test_a_page_says_nothing_past_the_messages(address: str, tmp_path: Path) -> None:
    """Whole pages, as people see them."""

    async def work(client: AsyncClient) -> None:
        answer = await client.get(address, headers=PEOPLE, follow_redirects=True)
        assert "html" in answer.headers["content-type"]
        assert not past_the_messages(answer.text, *NOT_OURS)

    with speaking(wide):
        within(tmp_path, work)


@pytest.mark.parametrize("penalty", ["none", "l2"])
def test_a_fragment_says_nothing_past_the_messages(penalty: str, tmp_path: Path) -> None:
    """What comes into the page while it is used."""

    async def work(client: AsyncClient) -> None:
        run = await made(client, f"hidden=4&regularization={penalty}&regularization_rate=0.01")
        answers = [await client.get(f"/runs/{run}/{each}", headers=HTMX) for each in FRAGMENTS]
        answers.append(await client.get("/runs", headers=HTMX))
        table = "a,b,k\n1;2\n1,2,yes\n3,,no\n2,1,yes\n"
        answers.append(await client.post("/data", data={"csv": table}, headers=HTMX))
        for answer in answers:
            assert not past_the_messages(answer.text, *NOT_OURS), answer.url

    with speaking(wide):
        within(tmp_path, work)


def test_a_class_says_nothing_past_the_messages(tmp_path: Path) -> None:
    """Its door, the teacher's page with every question open, closed and told, the wall, a student, and its end."""

    async def work(client: AsyncClient) -> None:
        begun = await client.post("/class", headers=PEOPLE)
        code = begun.headers["location"].split("/")[2].split("?")[0]

        async def held(answer: Response) -> Response:
            assert answer.status_code < 500
            page = re.sub(rf"{code}|{code[:4]} {code[4:]}|[\w.]+:\d+/class", "", answer.text)
            assert not past_the_messages(page, *NOT_OURS, "lesson"), answer.url
            return answer

        room = f"/class/{code}"
        await held(await client.get(f"{room}/teach", headers=PEOPLE))
        await held(await client.post(f"{room}/join", data={"nickname": ""}, headers=PEOPLE, follow_redirects=True))
        for kind in ("direction", "loss", "largest", "delta"):
            asked = {"do": "ask", "kind": kind}
            await held(await client.post(f"{room}/do", data=asked, headers=HTMX))
            for do in ("nothing", "close", "reveal"):
                await held(await client.post(f"{room}/do", data={"do": do}, headers=HTMX))
                for screen in ("wall", "teach", "students", ""):
                    await held(await client.get(f"{room}/{screen}".rstrip("/"), headers=PEOPLE, follow_redirects=True))
        for do in ("renew", "end"):
            await held(await client.get(f"{room}/end?do={do}", headers=PEOPLE))
        await held(await client.post(f"{room}/do", data={"do": "end"}, headers=PEOPLE, follow_redirects=True))
        await held(await client.get("/class/ABCDEFGH", headers=PEOPLE))

    with speaking(wide):
        within(tmp_path, work)


@pytest.mark.parametrize("kind", TYPES)
def test_practice_says_nothing_past_the_messages(kind: str, tmp_path: Path) -> None:
    """An exercise, what is told of every answer to it, and its solution."""

    async def work(client: AsyncClient) -> None:
        for given in ("", "answer=abc", "answer=0.123", "answer=-12", "answer=up", "answer=down", "show=answer"):
            answer = await client.get(f"/learn/practice?type={kind}&seed=7&{given}", headers=PEOPLE)
            assert not past_the_messages(answer.text, *NOT_OURS), answer.url

    with speaking(wide):
        within(tmp_path, work)


def test_questions_on_the_way_say_nothing_past_the_messages(tmp_path: Path) -> None:
    """Predict of a step and of a graph: what is asked, its hint, and the verdict on every answer."""

    async def work(client: AsyncClient) -> None:
        run = await made(client, "hidden=3")
        way = f"/runs/{run}/predictions?example=3&grain=operation&step=0"
        posed = (await client.get(way)).json()["questions"]
        assert len(posed) > 3
        for question in posed:
            nothing_in_english(question["prompt"], question["hint"], question["number_prompt"])
            for given in ("up", "down", "stay", "0.1", "-3", "what"):
                told = await client.get(f"{way}&moment={question['moment']}&answer={given}")
                nothing_in_english(told.json()["verdict"]["message"], told.json()["verdict"]["factor"] or "")
        for at, given in product(range(10), ("", "&answer=positive", "&answer=zero", "&answer=2", "&answer=what")):
            answer = await client.get(f"/graph?predict=on&at={at}{given}", headers=PEOPLE)
            assert not past_the_messages(answer.text, *NOT_OURS), answer.url

    with speaking(wide):
        within(tmp_path, work)


JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
ATTRIBUTES = re.compile(r"\{% block (?:body|html)_\w+ %\}.*?\{% endblock %\}")
OWN = sorted(path for path in TEMPLATES.rglob("*.*") if "lessons" not in path.parts)


def bare(template: str) -> list[str]:
    """The words that a template has by itself, but for classes and attributes that it makes."""
    return past_the_messages(re.sub(r' [\w-]+=""', "", JINJA.sub("", ATTRIBUTES.sub("", template))))


@pytest.mark.parametrize("path", OWN, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_template_has_a_bare_word(path: Path) -> None:
    """Words are messages: `_("…")`."""
    assert not [said for said in bare(path.read_text()) if said not in ("KX4T 9RWM",)]


def test_a_bare_word_would_be_seen() -> None:
    """In a text, in an attribute, in a drawing's title and in its label."""
    for planted in ("<p>Hello {{ name }}</p>", '<b title="Go back">‹</b>', "<title>Loss</title>", "<text>epoch</text>"):
        assert bare(planted)
