"""One's own examples: what the engine takes, when labels are classes, and how numbers far from 0 are scaled."""

from __future__ import annotations

import json
import warnings
from collections import namedtuple
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import orjson
import pytest

from app.page.links import Link
from app.run.answers import traced
from app.run.schemas import LayerAnswer
from engine import Spec, SpecError, advance, evaluate, examples_of, outputs_of, predict, start, trace, unit_maps
from engine.examples import features_of
from engine.labels import are_classes, classes_of
from engine.operations import kinds_behind
from engine.starts import BESIDE
from engine.tracing import LayerTrace

XOR: dict[str, Any] = {"x": [[0, 0], [0, 1], [1, 0], [1, 1]], "y": [0, 1, 1, 0]}


def own(x: Any, y: Any, **more: Any) -> Spec:
    keys = ("task", "names", "targets", "classes")
    data = {"x": x, "y": y} | {key: more.pop(key) for key in keys if key in more}
    return Spec.make(dataset="custom", data=data, **more)


class Frame:
    """What pandas and polars have in common: columns by name, each an array when asked."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self._columns = {name: np.array(values) for name, values in columns.items()}
        self.columns = list(columns)

    def __getitem__(self, name: str) -> Any:
        return Column(self._columns[name])


class Column:
    """A column that NumPy can read, and that is no list."""

    def __init__(self, values: Any) -> None:
        self._values = values

    def to_numpy(self) -> Any:
        return self._values


FORMS: dict[str, Any] = {
    "arrays": (np.array(XOR["x"]), np.array(XOR["y"])),
    "rows of arrays": ([np.array(row) for row in XOR["x"]], [np.int64(label) for label in XOR["y"]]),
    "columns": ({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1]}, {"c": [0, 1, 1, 0]}),
    "records": ([{"a": a, "b": b} for a, b in XOR["x"]], XOR["y"]),
    "frames": (Frame({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1]}), Column(np.array(XOR["y"]))),
}


class Sparse:
    """As SciPy has matrices of zeros."""

    def toarray(self) -> Any:
        return np.array(XOR["x"])


class Arrow(Frame):
    """Whose columns are no names."""

    def __init__(self, columns: dict[str, Any]) -> None:
        super().__init__(columns)
        self.column_names, self.columns = self.columns, list(self._columns.values())


Point = namedtuple("Point", "a b")


@dataclass
class Spot:
    a: int
    b: int


FORMS |= {
    "generators": ((list(row) for row in XOR["x"]), iter(XOR["y"])),
    "named tuples": ([Point(*row) for row in XOR["x"]], tuple(XOR["y"])),
    "dataclasses": ([Spot(*row) for row in XOR["x"]], {"y": dict(enumerate(XOR["y"]))}),
    "by row": ({"a": {7: 0, 8: 0, 9: 1, 5: 1}, "b": {7: 0, 8: 1, 9: 0, 5: 1}}, XOR["y"]),
    "split": ({"columns": ["a", "b"], "index": [0, 1, 2, 3], "data": XOR["x"]}, XOR["y"]),
    "sparse": (Sparse(), XOR["y"]),
    "Arrow": (Arrow({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1]}), XOR["y"]),
    "pictures": (np.array(XOR["x"]).reshape(4, 1, 2), XOR["y"]),
    "column of y": ({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1], "c": XOR["y"]}, "c"),
    "columns of y": (Frame({"a": [0, 0, 1, 1], "c": XOR["y"], "b": [0, 1, 0, 1]}), ["c"]),
}
NAMELESS = ("arrays", "rows of arrays", "generators", "sparse", "pictures")


@pytest.mark.parametrize("form", FORMS)
def test_examples_come_in_many_forms(form: str) -> None:
    """Rows, columns by name, records, arrays and frames are the same numbers, and names are kept."""
    spec = own(*FORMS[form])
    assert spec.data is not None
    assert spec.data.x.tolist() == XOR["x"]
    assert spec.data.y.tolist() == [[0], [1], [1], [0]]
    assert spec.data.names == (() if form in NAMELESS else ("a", "b"))
    assert Spec.make(json.loads(json.dumps(spec.to_dict()))) == spec


def test_data_as_scikit_learn_has_it() -> None:
    """A pair, and an object with data, target and names, of Python or JSON; True and False in columns of classes."""
    bunch = {
        "data": np.array(XOR["x"]),
        "target": np.array(XOR["y"]),
        "feature_names": ["a", "b"],
        "target_names": np.array(["same", "other"]),
        "DESCR": "XOR",
        "frame": None,
    }
    data = Spec.make(data=bunch).data
    assert data is not None
    assert (data.names, data.classes, data.y.ravel().tolist()) == (("a", "b"), ("same", "other"), XOR["y"])
    assert Spec.make(data=(XOR["x"], XOR["y"])) == Spec.make(data=XOR) == Spec.make(data={"X": XOR["x"], "y": XOR["y"]})
    hot = own(XOR["x"], Frame({"same": np.array(XOR["y"]) == 0, "other": np.array(XOR["y"]) == 1})).data
    assert hot is not None
    assert (hot.classes, hot.y.ravel().tolist()) == (("same", "other"), XOR["y"])
    prices = Spec.make(data=bunch | {"target": [1.5, 2.0, 3.0, 4.0], "target_names": ["price"]}).data
    assert prices is not None
    assert prices.task == "regression"
    for wrong in ((XOR["x"], XOR["y"], 1), Frame({"a": [1]}), {"x": XOR["x"]}, {**XOR, "z": 1}, {**XOR, "y": "c"}, 5):
        with pytest.raises(SpecError):
            Spec.make(data=wrong)


def test_numpys_numbers_are_taken_everywhere() -> None:
    """Scalars as settings, and a trace's own W_next as the next start."""
    spec = Spec.make(hidden=[np.int64(4)], seed=np.arange(3)[1], learning_rate=np.float32(0.5))
    assert (spec.hidden, spec.seed, spec.learning_rate) == ((4,), 1, 0.5)
    state = start(spec)
    after = [{"W": layer.W_next, "b": layer.b_next} for layer in trace(state).layers]
    assert np.array_equal(start(Spec.make(hidden=[4], parameters=after)).parameters, advance(state, 1).state.parameters)


@pytest.mark.parametrize("layers", ["dense 4 tanh", "dense 3 tanh, layer_norm, dense 2 relu, batch_norm, dropout 0.5"])
def test_a_start_comes_in_many_forms(layers: str) -> None:
    """Pairs, a trace and its layers, in Python or as JSON, and the flat vector; after a step by W_next alone."""
    plain: dict[str, Any] = {"layers": layers, "regularization": "l2", "regularization_rate": 0.1}
    state = advance(start(Spec.make(plain)), 3).state
    step = trace(state)
    nested = Spec.make(plain, parameters=state.parameters).to_dict()["parameters"]
    sent = json.loads(orjson.dumps(traced(step), option=orjson.OPT_SERIALIZE_NUMPY))
    forms = [
        [tuple(map(np.array, layer.values())) for layer in nested],
        [list(layer.values()) for layer in nested],
        step,
        step.layers,
        sent,
        sent["layers"],
        tuple(state.parameters.tolist()),
    ]
    for given in forms:
        assert np.array_equal(start(Spec.make(plain, parameters=given)).parameters, state.parameters)
    after = [{name: layer[name] for name in ("W_next", "b_next", "norm")} for layer in sent["layers"]]
    assert np.array_equal(start(Spec.make(plain, parameters=after)).parameters, advance(state, 1).state.parameters)


STARTS: list[tuple[Any, str]] = [
    ([([[1, 2]] * 4, [0] * 4)], "parameters"),
    ([([[1, 2]] * 4, [0] * 4), ([[1] * 4],)], "parameters.1"),
    ([([[1, 2]] * 4, [0] * 4), {"W": [[1] * 4]}], "parameters.1"),
    ([([[1, 2]] * 4, [0] * 4), {"W": [[1] * 4], "b": [0], "momentum": 1}], "parameters.1"),
    ([([[1, 2]] * 4, [0] * 4), {"W_next": [[1] * 4], "b": [0]}], "parameters.1"),
    ([([[1, 2]] * 4, [0] * 4), ([[1, "a", 1, 1]], [0])], "parameters.1.W.0.1"),
    ([([[1, 2, 3]] * 4, [0] * 4), ([[1] * 4], [0])], "parameters.0.W.0"),
    ([1.0, 2.0], "parameters"),
    ([float("nan")] * 17, "parameters.0"),
    ({"W": 1}, "parameters"),
    (5, "parameters"),
]


@pytest.mark.parametrize(("given", "field"), STARTS, ids=[f"{f}-{i}" for i, (_, f) in enumerate(STARTS)])
def test_a_start_that_does_not_fit_is_refused_by_place(given: Any, field: str) -> None:
    """The error names the layer, and the number."""
    with pytest.raises(SpecError) as caught:
        Spec.make(hidden=[4], parameters=given)
    assert caught.value.field == field


def test_what_a_trace_has_besides_is_known() -> None:
    """Every field of a layer of a trace, of Python or of JSON, is a parameter or passed over."""
    names = {field.name for field in fields(LayerTrace)} | set(LayerAnswer.model_fields)
    assert names == BESIDE | {"W", "b", *kinds_behind()}


LABELS: dict[str, tuple[list[Any], str, tuple[str, ...]]] = {
    "0 and 1": ([0, 1, 1, 0], "binary", ("0", "1")),
    "signs": ([-1, 1, 1, -1], "binary", ("-1", "1")),
    "one of two": ([1, 1, 1, 1], "binary", ("0", "1")),
    "3 and 5": ([3, 5, 3, 5], "binary", ("3", "5")),
    "words": (["b", "a", "b", "c"], "multiclass", ("a", "b", "c")),
    "yes and no": ([True, False, True, True], "binary", ("False", "True")),
    "one-hot": ([[1, 0], [0, 1], [0, 1], [1, 0]], "multiclass", ("0", "1")),
    "each once": ([1, 2, 3, 4], "regression", ()),
    "not whole": ([0.5, 0.5, 1, 1], "regression", ()),
    "two values": ([[0.5, 1], [1, 1], [0, 0], [2, 1]], "regression", ()),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_are_classes_by_one_rule(name: str) -> None:
    """Words are classes, and so are numbers that are whole, few and come back; the classes have names."""
    labels, task, classes = LABELS[name]
    data = own(XOR["x"], labels).data
    assert data is not None
    assert (data.task, data.classes) == (task, classes)


def test_many_rows_with_a_rare_class_are_classes_all_the_same() -> None:
    """Ten examples to each class suffice where one of them comes but once."""
    assert are_classes([1.0] * 20 + [2.0] * 19 + [3.0])
    assert not are_classes([1.0, 1.0, 2.0])
    assert not are_classes([float(i % 11) for i in range(500)])
    assert classes_of([10.0, 9.0, 2.0]) == ("2", "9", "10")


BAD: list[tuple[Any, Any, dict[str, Any], str]] = [
    (XOR["x"], ["a", 5, "a", "a"], {}, "data.y.1"),
    (XOR["x"], [None] * 4, {}, "data"),
    ([[1, "2024-01-01"], [float("nan"), "2024-01-02"], [None, "2024-01-03"]], [0, 1, 0], {}, "data.x"),
    ([[1, 2], [None, 2], [1, float("inf")]], [0, 1, 0], {}, "data.x.2.1"),
    ([[1, None, "a"], [1, 2, "b"], [float("-inf"), 3, "a"]], [0, 1, 0], {}, "data.x.2.0"),
    (XOR["x"], ["a", "a", "a", "a"], {}, "data.y"),
    (XOR["x"], ["\ud800", "b", "b", "b"], {}, "data.y"),
    (XOR["x"], [0, 1, 2, 0], {"task": "binary"}, "data.y"),
    (XOR["x"], [0, 1, 2, 0], {"classes": ["a", "b"]}, "data.y.2"),
    (XOR["x"], XOR["y"], {"names": ["a"]}, "data.names"),
    (XOR["x"], XOR["y"], {"names": ["a", "b\n"]}, "data.names.1"),
    ({"a": [1, 2], "b": [1]}, [0, 1], {}, "data.x"),
    ({"a": ["1", "2"]}, [0, 1], {}, "data.x.a"),
    ({"a": [str(i) + "n" for i in range(20)]}, [0, 1] * 10, {}, "data.x.a"),
    ([[1], [{}]], [0, 1], {}, "data.x.1.0"),
    ([{"a": 1}, {"b": 1}], [0, 1], {}, "data"),
    ([{"a": 1}, [1]], [0, 1], {}, "data.x.1"),
    ({"columns": ["a", "b"], "data": [[1, 2], [1]]}, [0, 1], {}, "data.x.data"),
    (XOR["x"], "c", {}, "data.y"),
    ({"a": [1, 2]}, "a", {}, "data.y"),
    ({1.0, 2.0}, [0, 1], {}, "data.x"),
    ([[10**400], [1]], [0, 1], {}, "data.x.0.0"),
]


@pytest.mark.parametrize(("x", "y", "more", "field"), BAD, ids=[f"{f}-{i}" for i, (*_, f) in enumerate(BAD)])
def test_what_cannot_be_understood_is_refused_by_place(x: Any, y: Any, more: dict[str, Any], field: str) -> None:
    """The error names the row or the column."""
    with pytest.raises(SpecError) as caught:
        own(x, y, **more)
    assert caught.value.field == field
    assert str(caught.value).isascii()


class NAType:
    """As pandas has it: no value, which is not even false when it is compared."""

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")

    def __eq__(self, other: object) -> Any:
        return self

    __ne__ = __eq__
    __hash__ = None  # type: ignore[assignment]


NAN, NA = float("nan"), NAType()
ONE, TWO, SIZE = [1.0, NAN, 3.0, 4.0, 5.0], [2, 5, 1, 0, 3], ["s", "m", "s", "m", "s"]
LACKING: dict[str, tuple[Any, Any]] = {
    "lists": ([[1.0, 2], [None, 5], [3.0, 1], [4.0, 0], [5.0, 3]], [1.5, 2, NAN, 7, 9]),
    "array": (np.array([ONE, TWO]).T, np.array([1.5, 2, NAN, 7, 9])),
    "masked array": (np.ma.masked_invalid(np.array([ONE, TWO]).T), [1.5, 2, None, 7, 9]),  # type: ignore[no-untyped-call]
    "objects, as of nullable columns": (
        Frame({"a": np.array([1, NA, 3, 4, 5], dtype=object), "b": TWO}),
        Column(np.array([1.5, 2, NA, 7, 9], dtype=object)),
    ),
    "columns": ({"a": ONE, "b": TWO}, {"y": [1.5, 2, None, 7, 9]}),
    "columns with dates": (
        {
            "day": np.array(["2024-01-0" + d for d in "12345"], dtype="datetime64[ns]"),
            "a": ONE,
            "note": [None, None, "x", None, None],
            "b": TWO,
        },
        [1.5, 2, None, 7, 9],
    ),
    "records": ([{"a": a, "b": b} for a, b in zip(ONE, TWO, strict=True)], [1.5, 2, None, 7, 9]),
    "texts among numbers": ({"a": [1, "NA", 3, 4, 5], "b": [2, 5, 1, 0, 3]}, [1.5, 2, "?", 7, 9]),
}


@pytest.mark.parametrize("form", LACKING)
def test_rows_without_a_value_are_left_out_and_it_is_said(form: str) -> None:
    """In whatever way no value is written; told by a warning and on the data, which come back the same."""
    with pytest.warns(UserWarning, match=r"rows without a value are left out, 2 in all: 1, 2, counted from 0"):
        spec = own(*LACKING[form])
    data = spec.data
    assert data is not None
    assert data.x.tolist() == [[1, 2], [4, 0], [5, 3]]
    assert data.y.ravel().tolist() == [1.5, 7, 9]
    assert data.missing.rows_left_out == (1, 2)
    assert data.missing.columns_left_out == (("day", "note") if "dates" in form else ())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = Spec.make(**json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    assert again.data is not None
    assert again.data.missing == data.missing
    assert Link.parse(Link(spec).fields()).spec == spec


def test_inputs_are_filled_in_where_that_is_asked_for() -> None:
    """By the mean of the numbers, the commonest of the words; what is to be predicted never is."""
    x = {"a": [1.0, None, 3.0, 5.0], "kind": ["oak", "", "fir", "oak"], "ok": [True, False, None, True]}
    with pytest.warns(UserWarning, match="filled in by their column's mean or commonest word, 3 in all"):
        data = Spec.make(data={"x": x, "y": [1.5, 2.5, 9.0, None], "missing": "fill"}).data
    assert data is not None
    assert data.names == ("a", "kind=oak", "ok")
    assert data.x.tolist() == [[1, 1, 1], [3, 1, 0], [3, 0, 1]]
    assert (data.missing.rows_left_out, data.missing.cells_filled) == ((3,), 3)
    with pytest.raises(SpecError, match="one of leave, fill"):
        Spec.make(data={"x": x, "y": [1, 2, 3, 4], "missing": "guess"})


def test_words_of_rows_that_are_left_out_are_no_columns() -> None:
    """Nor are their labels classes; names that were given go with the columns that stay."""
    x = [["oak", 1, None], ["fir", 2, None], ["ash", None, 1.0], ["oak", 3, None]]
    with pytest.warns(UserWarning, match="left out: kept"):
        data = own(x, ["a", "b", "c", "a"], names=["kind", "size", "kept"]).data
    assert data is not None
    assert data.names == ("kind=oak", "size")
    assert data.classes == ("a", "b")
    assert data.x.tolist() == [[1, 1], [0, 2], [1, 3]]


def test_words_among_the_inputs_become_numbers() -> None:
    """A column of two words is one of 0 and 1, of three words three; yes and no are 1 and 0."""
    data = own({"sex": ["f", "m"], "isle": ["x", "z"], "ok": [True, False], "a": [1, 2]}, [0, 1]).data
    assert data is not None
    assert data.names == ("sex=m", "isle=z", "ok", "a")
    assert data.x.tolist() == [[0, 0, 1, 1], [1, 1, 0, 2]]
    three = own({"isle": ["x", "y", "z"]}, [1.5, 2, 3]).data
    assert three is not None
    assert three.x.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


SHOES: dict[str, Any] = {
    "x": [[39, 181], [40, 186], [47, 217], [50, 220], [38, 190], [48, 215]],
    "y": [0, 0, 1, 1, 0, 1],
}


def test_inputs_far_from_0_are_scaled_and_learn() -> None:
    """Shoe sizes and heights: scaled unless asked otherwise, by the training rows, and then they are learned."""
    spec = own(**SHOES, hidden=[4])
    assert (spec.scaling, spec.test_share) == ("inputs", 0.0)
    examples = examples_of(spec)
    assert np.allclose(examples.x[:-1].mean(axis=1), 0)
    assert np.allclose(examples.x[:-1].std(axis=1), 1)
    assert evaluate(advance(start(spec), 2_000).state)["train"].accuracy == 1.0
    as_they_are = own(**SHOES, hidden=[4], scaling="none")
    assert examples_of(as_they_are).x[:-1].T.tolist() == examples_of(as_they_are).raw.tolist()


def test_targets_far_from_0_are_scaled_and_told_in_their_own_units() -> None:
    """Prices: the network learns them around 0, and what it predicts are prices again."""
    x = [[float(area), rooms] for area, rooms in ((210, 5), (75, 3), (120, 4), (90, 2), (160, 4))]
    y = [1000.0 * area for area, _ in x]
    spec = own(x, y, hidden=[], learning_rate=0.1)
    assert spec.scaling == "both"
    state = advance(start(spec), 2_000).state
    told = predict(state, x)
    assert np.allclose(told[:, 0], y, rtol=1e-3)
    assert own(x, [0.1, 0.9, 0.2, 0.8, 0.5], loss="binary_cross_entropy").scaling == "inputs"


def test_scaling_is_by_the_training_rows_alone() -> None:
    """What is kept back for testing has no say in it."""
    rng = np.random.default_rng(3)
    spec = own(rng.normal(100, 5, (50, 2)), rng.integers(0, 2, 50), test_share=0.5)
    examples = examples_of(spec)
    assert examples.train == 25
    assert examples.inputs_by is not None
    assert np.allclose(examples.inputs_by.mean, examples.raw[:25].mean(axis=0))


def test_few_rows_of_ones_own_are_all_trained_on() -> None:
    """Up to 20, unless a share for testing is asked for."""
    for rows, asked, train in ((20, None, 20), (21, None, 13), (4, 0.5, 2)):
        spec = own([[i] for i in range(rows)], [i % 2 for i in range(rows)], test_share=asked)
        assert examples_of(spec).train == train


def test_a_link_of_old_means_what_it_meant() -> None:
    """Labels 1 to 3 were four classes, nothing was scaled, and a share was kept back of the fewest rows."""
    old = {"x": [[100, 1], [200, 2], [300, 3], [400, 1]], "y": [[1.0], [2.0], [3.0], [1.0]], "task": "multiclass"}
    spec = Spec.recalled({"dataset": "custom", "data": old})
    assert spec.network.sizes[-1] == 4
    assert (spec.scaling, spec.test_share) == ("none", 0.4)
    assert spec.data is not None
    assert spec.data.y.ravel().tolist() == [1, 2, 3, 1]
    signed = Spec.recalled({"dataset": "custom", "data": {"x": [[1], [2]], "y": [-1, 1]}})
    assert signed.task == "binary"
    assert Spec.recalled({"dataset": "custom", "data": {"x": [[1], [2]], "y": [1, 2]}}).task == "regression"
    fields = Link(own(**SHOES)).fields()
    assert Link.parse(fields).spec == own(**SHOES)
    assert Link.parse({name: text for name, text in fields.items() if name != "scaling"}).spec.scaling == "none"


def test_a_map_is_of_each_axis_own_range() -> None:
    """What a unit shows of a point is what it answers there, in the units of the data."""
    spec = own(**SHOES, hidden=[3])
    (low, high), (bottom, top) = examples_of(spec).domains
    assert 30 < low < 38 < 50 < high < 60
    assert 175 < bottom < 181 < 220 < top < 230
    state, cells = start(spec), 20
    outputs = unit_maps(state, cells)[-1][0]
    point = np.array([[low + (high - low) * 2.5 / cells, top - (top - bottom) * 0.5 / cells]])
    assert np.allclose(outputs[0, 2], outputs_of(state, features_of(spec, point))[0, 0], atol=1e-5)


def test_data_alone_are_ones_own() -> None:
    """Without the name of a dataset; beside the name of another they are refused."""
    assert Spec.make(data={"x": XOR["x"], "y": XOR["y"]}) == own(XOR["x"], XOR["y"])
    with pytest.raises(SpecError, match="unless dataset is 'custom'"):
        Spec.make(dataset="xor", data={"x": XOR["x"], "y": XOR["y"]})


def test_a_structured_array_and_a_range_are_columns() -> None:
    """As NumPy has them with names, and as Python counts."""
    rows = np.array([(1.0, 5), (2.0, 7), (4.0, 1)], dtype=[("size", float), ("age", int)])
    data = own(rows, range(3)).data
    assert data is not None
    assert data.names == ("size", "age")
    assert data.x.tolist() == [[1, 5], [2, 7], [4, 1]]
    assert own(rows, range(3), names=np.array(["a", "b"])).data.names == ("a", "b")  # type: ignore[union-attr]


def test_columns_that_are_called_alike_are_refused() -> None:
    """One of them would be lost."""

    class Twice(Frame):
        def __init__(self) -> None:
            super().__init__({"a": [1, 2]})
            self.columns = ["a", "a"]

    with pytest.raises(SpecError, match="names that differ"):
        own(Twice(), [0, 1])


def test_predict_goes_by_the_names_of_the_data() -> None:
    """Columns in another order, with others beside them and words among them, are the same inputs."""
    x = {"size": [1.0, 2.0, 3.0, 5.0], "kind": ["oak", "fir", "ash", "oak"], "wet": [True, False, True, True]}
    state = start(own(x, [0, 1, 1, 0]))
    turned = Frame({"note": [0] * 4, **{name: x[name] for name in ("wet", "kind", "size")}})
    found = predict(state, turned)
    assert np.array_equal(found, predict(state, examples_of(state.spec).raw[np.argsort(_order(state))]))
    with pytest.raises(SpecError, match="columns by the names of the data, size among them"):
        predict(state, {"kind": ["oak"], "wet": [True]})


def _order(state: Any) -> Any:
    """Where each row of the data stands among the examples."""
    raw, data = examples_of(state.spec).raw, state.spec.data.x
    return [next(i for i, row in enumerate(data) if np.array_equal(row, example)) for example in raw]
