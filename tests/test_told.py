"""What a moment tells follows from the equations that it has made."""

import pytest

from app.explain.moments import GRAINS
from app.explain.receipts import receipt
from app.explain.walkthrough import Walkthrough, walkthrough
from app.words.segments import text_of
from engine import Quantity, Spec, start, trace
from engine.equation import code_name
from engine.receipts import ParameterReceipt

NETS = (
    "dense 4 tanh, batch_norm, dropout 0.2, dense 4 relu, shortcut 1",
    "conv2d 2 3x3 relu same, batch_norm, max_pool 2, conv2d 2 3x3 tanh same, shortcut 1, global_pool",
)


def _walks(layers: str, example: int | None) -> list[Walkthrough]:
    data = {"dataset": "digits16", "output_activation": "softmax", "loss": "cross_entropy"} if "conv" in layers else {}
    spec = Spec.make(layers=layers, batch_size=4, regularization="l2", regularization_rate=0.1, **data)
    return [walkthrough(trace(start(spec), example), grain) for grain in GRAINS]


@pytest.mark.parametrize("layers", NETS)
def test_the_line_of_a_moment_computes_what_it_tells(layers: str) -> None:
    """Of every moment whose quantities the program has, its line is that of one of them; of a product on its way back
    that of what comes back to the layer below."""
    seen = set()
    for walk in _walks(layers, 5):
        network, places = walk.trace.spec.network, walk.program.places
        for moment in walk:
            names = {code_name(of) for of in moment.targets}
            if moment.kind == "product_back":
                names = {f"{network.back_kind(moment.layer - 1)}{moment.layer - 1}"}
            lines = {places[name] for name in names & set(places)}
            if lines and moment.phase != "update":
                seen.add(moment.kind)
                assert moment.code_line in lines, (moment.kind, moment.code)
    assert {"gains", "product_back", "forward"} <= seen


def test_behind_a_mask_and_a_norm_all_that_comes_back_is_told() -> None:
    """What came back to dropout is told before what goes through its mask, with the links that it came over."""
    (_, walk, *_), seen = _walks(NETS[0], 5), 0
    for moment in walk:
        if moment.kind == "came_back" and moment.layer == 1:
            first, *_ = moment.formulas
            assert getattr(first, "target", None) == Quantity("dh", 1, moment.units, 0)
            assert "∂L/∂h = " in text_of(moment.numbers)
            assert sum(term.value for term in moment.terms) + moment.rest == pytest.approx(
                float(walk.scene.look(Quantity("q", 2, (1, moment.units[0]), 0)))
                + sum(float(walk.scene.look(Quantity("q", 2, (n, moment.units[0]), 0))) for n in (2, 3, 4))
            )
            seen += 1
    assert seen == 4


@pytest.mark.parametrize("layers", NETS)
def test_in_a_batch_only_what_is_of_one_example_says_whose_it_is(layers: str) -> None:
    """What regularization adds, and what is added up over the batch, is of no example."""
    walk = _walks(layers, None)[0]
    first, told = f"example {int(walk.trace.examples[0])}: ", set()
    for moment in walk:
        of_one = any("example 0" in repr(each) or "example=0" in repr(each) for each in moment.formulas)
        if moment.kind not in ("inputs", "loss", "spread", "activation") and moment.formulas:
            told.add((moment.kind, of_one))
            assert (first in text_of(moment.numbers)) == of_one, moment.kind
    assert {kind for kind, of_one in told if not of_one} >= {"dW", "db"}


def test_the_gradient_of_what_places_share_closes_by_a_calculator() -> None:
    """Each product in a kernel's receipt gives what stands beside it; the products and the others give the gradient."""
    told = receipt(_walks(NETS[1], 5)[0].trace, "W2.1.2.2.3")
    (made,), facts = told.more, told.facts
    products = [line for line in made.lines if " × " in line.label]
    for line in products:
        one, other = (_number(text) for text in line.label.split(": ")[1].split(" × "))
        assert f"{one * other:.3e}" == f"{_number(line.value):.3e}", line
    rest = [line.number for line in made.lines if "together" in line.label]
    assert len(products) == 6
    assert len(rest) == 1
    assert isinstance(facts, ParameterReceipt)
    assert sum(line.number for line in products) + rest[0] == pytest.approx(facts.gradient)


def test_a_weight_that_takes_a_number_of_a_map_leads_to_its_channel() -> None:
    """It is called by where it stands there, and a click leads to the channel's receipt."""
    state = start(Spec.make(layers="conv2d 2 3x3 tanh, dense 3 tanh", dataset="digits16", output_activation="identity"))
    step = trace(state, 5)
    (made,) = receipt(step, "W2.1.300").more
    (source,) = (line for line in made.lines if line.role == "forward")
    assert source.label == "a of channel 2, row 3, column 12"
    assert source.select == "a1.2"
    assert receipt(step, source.select).kind == "unit"


def _number(text: str) -> float:
    base, _, power = text.replace("−", "-").partition("×10")
    return float(base) * 10.0 ** int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)
