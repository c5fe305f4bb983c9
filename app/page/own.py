"""A run on one's own data: what was brought becomes a spec, with the settings that a person has set by hand, and where
nothing was set, a network and an optimizer that learn such data.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import Any

from app.data.decoding import rows_of
from app.data.examples import data_of
from app.data.splitting import split
from app.data.table import Choices, Note, Table
from app.data.understanding import understand
from app.words.numbers import given as written
from app.words.texts import counted, text
from engine import FIELDS, LIMITS, CustomData, Limits, Spec, SpecError
from engine.spec import FEW_ROWS

KEPT = (
    "test_share",
    "features",
    "hidden",
    "activation",
    "output_activation",
    "initializer",
    "seed",
    "loss",
    "optimizer",
    "optimizer_settings",
    "learning_rate",
    "schedule",
    "schedule_settings",
    "regularization",
    "regularization_rate",
    "batch_size",
)
_TOGETHER = {  # settings that are chosen together or not at all
    name: group
    for group in (
        ("hidden", "activation", "layers"),
        ("optimizer", "learning_rate", "optimizer_settings", "schedule"),
    )
    for name in group
}
_DROPPED = dict.fromkeys(("output_activation", "loss"), ("output_activation", "loss"))  # and what goes with it
FEW_OUTPUTS = 3
MOST_KEPT = 2  # tables, of some 40 MB where they are large
LARGEST_KEPT = 3_000_000  # bytes of text


@dataclass(frozen=True)
class Own:
    """What was brought, as it was understood, and the spec of the run that it becomes. `told` says what stays of the
    settings and what was chosen."""

    table: Table
    spec: Spec
    told: tuple[Note, ...]


def own(source: str | bytes, given: Mapping[str, str], base: Spec | None, limits: Limits = LIMITS) -> Own:
    """Understand a text or a file; SpecError, mostly WrongData, for what cannot be trained on."""
    choices = Choices(given)
    table = table_of(source, given)
    fields: dict[str, Any] = {"dataset": "custom", "data": data_of(table, choices)}
    if scaling := choices.of("scaling", *FIELDS["scaling"].choices):
        fields["scaling"] = scaling
    by_hand = set_by_hand(base) if base else {}
    if share := choices.of("share", "0", "0.4"):
        by_hand["test_share"] = float(share)
    plain = Spec.make(fields, limits)
    chosen = {
        name: value for name, value in suited(plain).items() if by_hand.keys().isdisjoint(_TOGETHER.get(name, (name,)))
    }
    spec, dropped = _fitting(fields | chosen | by_hand, limits)
    return Own(table, spec, tuple(_told(spec, by_hand, chosen, dropped)))


def as_it_is(source: str, given: Mapping[str, str], spec: Spec) -> Own:
    """The data of a run that is there, as a table: nothing of the run is chosen anew."""
    return Own(table_of(source, given), spec, tuple(_told(spec, {}, {}, [])))


class _Kept:
    """The last few values of a function of a large text, by its content: typing a name reads no table again."""

    def __init__(self) -> None:
        self.values, self.lock = OrderedDict[Hashable, Any](), Lock()

    def get(self, key: Hashable, size: int, make: Callable[[], Any]) -> Any:
        """The value of this key, made where it is not there; of the largest texts none is kept."""
        with self.lock:
            if key in self.values:
                self.values.move_to_end(key)
                return self.values[key]
        value = make()
        if size <= LARGEST_KEPT:
            with self.lock:
                self.values[key] = value
                while len(self.values) > MOST_KEPT:
                    self.values.popitem(last=False)
        return value


_ROWS, _TABLES = _Kept(), _Kept()


def table_of(source: str | bytes, given: Mapping[str, str]) -> Table:
    """What a text or a file says; kept for when only a choice changes, or the same is opened again."""
    content = source if isinstance(source, bytes) else source.encode("utf-8", "replace")
    key = (type(source), sha256(content).digest())
    chosen = {name: value for name, value in given.items() if value and name not in ("scaling", "share")}

    def made() -> Table:
        rows = _ROWS.get(key, len(content), lambda: rows_of(source) if isinstance(source, bytes) else split(source))
        return understand(rows, Choices(given))

    table: Table = _TABLES.get((key, frozenset(chosen.items())), len(content), made)
    return table


def set_by_hand(spec: Spec) -> dict[str, Any]:
    """The settings that differ from their defaults, and from what the page has chosen by itself for own data."""
    plain, own_choice = spec.to_dict(), suited(spec) if spec.data else {}
    found = {}
    for name in KEPT:
        default = FIELDS[name].default
        value = plain[name]
        if name == "activation" and value and len(set(value)) == 1:
            value = value[0]
        usual = (default, list(default) if isinstance(default, tuple) else default, own_choice.get(name, default))
        if value not in usual and value not in ({}, None):
            found[name] = value
    if spec.data and len(spec.data.x) <= FEW_ROWS and found.get("test_share") == 0:
        del found["test_share"]
    _drop_followers(spec, found)
    return found


def _drop_followers(spec: Spec, found: dict[str, Any]) -> None:
    """Without what only follows the dataset, the task or another setting."""
    usual = Spec.make({"dataset": spec.dataset, **({"data": spec.data.to_dict()} if spec.data else {})})
    for name in ("features", "output_activation", "loss"):
        if getattr(spec, name) == getattr(usual, name):
            found.pop(name, None)
    for rule in ("optimizer", "schedule"):
        settings = f"{rule}_settings"
        if settings in found:
            default = dict(getattr(Spec.make({rule: getattr(spec, rule)}), settings))
            if found[settings] == default:
                del found[settings]
            else:
                found[rule] = getattr(spec, rule)
    if not spec.is_chain:
        found["layers"] = spec.to_dict(whole=False)["layers"]
    elif "activation" in found:
        found["hidden"] = list(spec.hidden)


def suited(spec: Spec) -> dict[str, Any]:
    """The settings with which a run on such data learns, where nobody has set any: the usual ones, unless two units
    would have to tell many classes or values apart."""
    if spec.data is None or spec.network.sizes[-1] <= FEW_OUTPUTS:
        return {}
    return {"hidden": [24], "activation": "tanh", "optimizer": "adam", "learning_rate": 0.003}


def _fitting(fields: Mapping[str, Any], limits: Limits) -> tuple[Spec, list[str]]:
    """The spec, without the settings that do not go with the data, and which these were."""
    dropped = list[str]()
    given = dict(fields)
    for attempt in range(len(KEPT)):
        try:
            return Spec.make(given, limits), dropped
        except SpecError as error:
            wrong = error.field.partition(".")[0]
            gone = [name for name in _DROPPED.get(wrong, (wrong,)) if name in given]
            if not gone or wrong in ("data", "dataset") or attempt == len(KEPT) - 1:
                raise
            for name in gone:
                del given[name]
            dropped += gone
    raise SpecError("data", None, "other data")


def _told(spec: Spec, by_hand: Mapping[str, Any], chosen: Mapping[str, Any], dropped: list[str]) -> list[Note]:
    notes = []
    if chosen:
        layers = "-".join(map(str, spec.hidden)) or "none"
        network = text(
            "hidden layers {layers} {function}", layers=layers, function=" ".join(spec.activation[:1])
        ).strip()
        steps = text("{optimizer} with rate {rate}", optimizer=spec.optimizer, rate=written(spec.learning_rate))
        told = [each for each, name in ((network, "hidden"), (steps, "optimizer")) if name in chosen]
        if told:
            notes.append(Note(text("Chosen to suit the data: {told}.", told=text(" and ").join(told))))
    stays = [text(FIELDS[name].title).lower() for name in by_hand if name not in dropped]
    if stays:
        notes.append(Note(text("As you have set it: {names}.", names=", ".join(stays))))
    if dropped:
        notes.append(
            Note(
                text(
                    "Does not go with this data and follows it: {names}.",
                    names=", ".join(text(FIELDS[name].title).lower() for name in dropped),
                )
            )
        )
    if spec.data and (note := _split_note(spec, spec.data)):
        notes.append(note)
    notes += _scaling_notes(spec)
    return notes


def facts(spec: Spec) -> tuple[str, ...]:
    """What is to be known of a run on one's own data: classes with their counts, what is scaled, what is kept back."""
    data = spec.data
    if data is None:
        return ()
    if data.classes:
        counts = [int((data.y == k).sum()) for k in range(len(data.classes))]
        told = ", ".join(f"{name} {count:,}" for name, count in zip(data.classes, counts, strict=True))
        first = text("{count} classes: {told}.", count=len(data.classes), told=told)
    else:
        first = text("To predict: {names}.", names=", ".join(data.targets) or text("a value"))
    notes = [note for note in (*_missing_notes(data), _split_note(spec, data), *_scaling_notes(spec)) if note]
    return first, *(note.sentence for note in notes)


def _missing_notes(data: CustomData) -> list[Note]:
    rows, filled, columns = len(data.missing.rows_left_out), data.missing.cells_filled, data.missing.columns_left_out
    told = []
    if rows:
        told.append(
            counted(rows, "{count} row without a value is left out.", "{count} rows without a value are left out.")
        )
    if filled:
        told.append(counted(filled, "{count} empty cell is filled in.", "{count} empty cells are filled in."))
    if columns:
        names = ", ".join(columns[:4]) + (", …" if len(columns) > 4 else "")
        told.append(text("Left out: {names}.", names=names))
    return [Note(each) for each in told]


def _split_note(spec: Spec, data: CustomData) -> Note | None:
    rows = len(data.x)
    if spec.test_share == 0 and rows <= FEW_ROWS:
        return Note(
            text("All {rows} rows train: up to {few}, none is kept back.", rows=rows, few=FEW_ROWS),
            text("keep 40 % back"),
            ("share", "0.4"),
        )
    kept = rows - max(1, rows - round(spec.test_share * rows))
    told = text("{rows:,} rows train, {kept:,} are kept back for the test.", rows=rows - kept, kept=kept)
    return (
        Note(told, text("train on all"), ("share", "0"))
        if kept
        else Note(text("All {rows:,} rows train.", rows=rows), text("keep 40 % back"), ("share", "0.4"))
    )


def _scaling_notes(spec: Spec) -> list[Note]:
    data = spec.data
    if data is None or spec.scaling == "none":
        return []
    notes = []
    if spec.scaling in ("inputs", "both"):
        furthest = int(abs(data.x).max(axis=0).argmax())
        name = data.names[furthest] if data.names else f"x{furthest + 1}"
        told = text(
            "Inputs are scaled to mean 0 and spread 1: {name} reaches {most:,.6g}.",
            name=name,
            most=abs(data.x[:, furthest]).max(),
        )
        notes.append(Note(told, text("as they are"), ("scaling", "targets" if spec.scaling == "both" else "none")))
    if spec.scaling in ("targets", "both"):
        name = data.targets[0] if data.targets else "y"
        told = text(
            "The value to predict, {name}, is scaled too, for it reaches {most:,.6g}; what is predicted is shown in "
            "its own units.",
            name=name,
            most=abs(data.y).max(),
        )
        notes.append(Note(told, text("as it is"), ("scaling", "inputs" if spec.scaling == "both" else "none")))
    return notes
