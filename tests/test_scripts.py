"""No script says a sentence of its own: what people read comes with the page, from the messages."""

import re
from collections.abc import Iterator

import pytest

from app.assets import STATIC, TEMPLATES
from app.words.scripts import MESSAGES, names_of, said_by, together
from app.words.texts import speaking

SCRIPTS = sorted(path.name for path in STATIC.glob("*.js"))
COMMENT = re.compile(r"//.*|/\*[\s\S]*?\*/")
QUOTED = {mark: re.compile(rf"(?:\\.|[^\\{mark}])*") for mark in "'\""}
PATTERN = re.compile(r"/(?:\\.|\[(?:\\.|[^\]])*\]|[^/\\\n])+/\w*")


class Literals:
    """The text literals of a script; a template's parts are {}."""

    def __init__(self, code: str) -> None:
        self.code, self.found = code, list[str]()
        self._until(0, "\0")

    def _until(self, at: int, end: str) -> int:
        before = ""
        while at < len(self.code) and self.code[at] != end:
            sign = self.code[at]
            pattern = PATTERN.match(self.code, at) if before in "(,=:[!&|?{};" else None
            if comment := COMMENT.match(self.code, at):
                at = comment.end()
                continue
            if sign == "`":
                at = self._template(at + 1)
            elif sign in QUOTED:
                at = self._quoted(at + 1, sign)
            elif pattern:
                at = pattern.end()
            else:
                at = self._until(at + 1, "}") if sign == "{" else at + 1
            before = before if sign.isspace() else "}" if sign == "{" else sign
        return at + 1

    def _quoted(self, at: int, mark: str) -> int:
        literal = QUOTED[mark].match(self.code, at)
        assert literal
        self.found.append(literal[0])
        return literal.end() + 1

    def _template(self, at: int) -> int:
        said = ""
        while self.code[at] != "`":
            if self.code.startswith("${", at):
                at, said = self._until(at + 2, "}"), said + "{}"
            else:
                said, at = said + self.code[at], at + 1
        self.found.append(said)
        return at + 1


KEYS = re.compile(r"Arrow\w+|Page\w+|Enter|Escape|Backspace|Delete|Shift|AbortError|[A-Z][a-z]+(-[A-Z][a-z]+)+")
TAGS = {
    "button", "circle", "dd", "defs", "dialog", "form", "image", "input", "label", "link", "option", "path", "select",
    "svg", "text", "textarea", "use",
}  # fmt: skip
CLASSES = {"notice error", "feature on", "now {}", "pulse {}"}
OTHERS = {
    "unsent {}": "under which an answer is kept",
    "{}px {}px": "a place in CSS",
    "(prefers-reduced-motion: reduce)": "a question of CSS",
}
MARKUP = re.compile(r"^<(?:iframe|hx-partial) .*>$")  # to be pasted into a page; htmx's own
TOLD = re.compile(
    r"(?:textContent|title|placeholder|innerHTML) ?[:=] (?:[^;,'\"`]*\? ?)?(['\"`])[^'\"`]*[A-Za-z]{2}[^'\"`]*\1"
    r"|(?:announce|complain|said)\(['\"`]\w|'aria-(?:label|valuetext)', ?['\"`][a-zA-Z]|element\('\w+', ['\"`]\w"
)


def selector(literal: str) -> bool:
    """Whether it names elements of the page."""
    return all(re.search(r"[#.\[:>*]", each) or each.strip(",") in TAGS for each in literal.split())


def is_said(literal: str) -> bool:
    """Whether a literal is words: several of them, or one that begins like a sentence."""
    if KEYS.fullmatch(literal) or literal in CLASSES | OTHERS.keys() or MARKUP.match(literal) or selector(literal):
        return False
    return bool(re.search(r"^\W*[A-Z][a-z]|[A-Za-z]{2,}[,:]? +(?:[A-Za-z]{2,}|\{\})|\{\} [a-z]{2,}", literal))


def spoken(code: str) -> Iterator[str]:
    """Everything that a script says by itself."""
    yield from filter(is_said, Literals(code).found)
    for line in code.splitlines():
        told = TOLD.search(re.sub(r"\$\{[^{}]*\}", "", line))
        if told:
            yield told[0]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_says_nothing_by_itself(script: str) -> None:
    """Words are messages, said by `say`, which is given their names alone."""
    code = (STATIC / script).read_text()
    assert not [*spoken(code)]
    assert not re.findall(r"(?<!function )\bsay\((?!')", code), "a name that can be found"
    assert {*names_of(script)} <= MESSAGES.keys()


@pytest.mark.parametrize(
    "planted",
    [
        "line.textContent = 'Go on';", "line.textContent = 'loss';", "announce(`Step ${n} of ${all}.`);",
        "button.title = on ? 'Pause' : 'Play';", "const BROKEN = 'Reconnecting…';",
        "box.setAttribute('aria-label', 'loss');",
        "const names = { auto: 'as the system' };", "form.append(element('label', 'or'));", "x = `${n} lines stay`;",
    ],
)  # fmt: skip
def test_a_word_of_its_own_would_be_seen(planted: str) -> None:
    """In every way in which scripts have said one."""
    assert [*spoken(f"import {{ say }} from './words.js'; // Comments may\n{planted}\n")]


def test_every_message_is_said_and_comes_along() -> None:
    """None is left over, and what says something has its words from a template."""
    assert {name for script in SCRIPTS for name in names_of(script)} == MESSAGES.keys()
    brought = set[str]()
    for template in TEMPLATES.rglob("*.html"):
        for named in re.findall(r"\{\{ (?:script|words)\(([^)]*)\) \}\}", template.read_text()):
            brought |= {each for script in re.findall(r"'([\w.]+)'", named) for each in together(script)}
    assert not [script for script in SCRIPTS if names_of(script) and script not in brought]


def test_what_comes_along_is_translated() -> None:
    """With its parts as they were."""
    with speaking(lambda message: f"<{message}>"):
        assert said_by("play.js")["paused"] == "<Paused at step {step}, train loss {loss}.>"
