"""What the looks into one step answer, as shapes for the OpenAPI document: made of the values, with an example each."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from app.explain.answers import Healthy, Layered, OneWish, Stretch, Walked, Wished
from app.explain.moments import Moment
from app.explain.receipts import Receipt
from app.run.schemas import Array, Matrix
from app.run.shapes import Vector, shape_of
from engine.along import Along
from engine.maps import Plane
from engine.paths import Paths
from engine.probed import Check, Contour, Nudge, Slice
from engine.receipts import ChannelReceipt, ParameterReceipt, UnitReceipt


class NothingAnswer(BaseModel):
    """An input has no facts: nothing computes it."""

    model_config = ConfigDict(extra="forbid")


ParameterAnswer = shape_of(ParameterReceipt, deltas=Array, carried=Array)
UnitAnswer = shape_of(UnitReceipt, incoming=Matrix, outgoing=Matrix | None, arcs=Matrix | None)
_MAPS: dict[str, Any] = dict.fromkeys(("z", "a", "da", "dz", "slope", "kernels"), Array)
_MAY_BE: dict[str, Any] = dict.fromkeys(("h", "v", "o", "dh", "dv", "n", "dn"), Array | None)
ChannelAnswer = shape_of(ChannelReceipt, **_MAPS, **_MAY_BE, others=dict[str, Array])

MomentAnswer = shape_of(
    Moment,
    shown="index phase kind layer units targets focus nodes links direction words symbols numbers code_line code "
    "values terms rest left_out",
    values=dict[str, float | Array | None],
    mathml=list[str] | None,
)
PhaseAnswer = shape_of(Stretch, name="Phase")
WalkthroughAnswer = shape_of(
    Walked,
    """{"step": 0, "examples": [8], "granularity": "pass", "count": 6, "collapsed": "", "phases":
    [{"phase": "forward", "first": 0, "count": 2}], "code": ["n, outputs = y.shape  # x, y and W1, b1, … are given"],
    "moments": []}""",
    name="Walkthrough",
)
ReceiptAnswer = shape_of(
    Receipt,
    """{"step": 0, "address": "b2.1", "name": "b₂,₁", "place": "bias of hidden 2, unit 1", "kind": "parameter",
    "words": "A bias is a weight whose input is always 1, so its gradient is the sum of the δs: −0.2189. …", "symbols":
    "\\\\class{backward}{\\\\frac{\\\\partial L}{\\\\partial b_{2,1}}} = …", "numbers":
    "−0.1084 + 0.09728 − 0.1053 …", "code": ["db2 = dz2.sum(axis=0)"], "came_from": ["a2.1"],
    "terms": [{"label": "example 67", "left": -0.10843, "right": 1.0, "value": -0.10843}], "rest": -0.0013459,
    "left_out": 6, "mathml": ["<math …"], "facts": {"address": "b2.1", "layer": 2,
    "unit": 1, "source": 0, "now": 0.0, "next": 0.006568, "gradient": -0.21893, "penalty_gradient": 0.0,
    "learning_rate": 0.03, "frozen": false, "examples": [5, 67], "deltas": [0.005401, -0.10843], "carried": [1.0, 1.0],
    "parts": [{"name": "gradient", "value": 0.006568}], "slots": {}}}""",
    shown="address name place kind words symbols numbers code came_from terms rest left_out",
    mathml=list[str] | None,
    facts=ParameterAnswer | UnitAnswer | ChannelAnswer | NothingAnswer,
)
NudgeAnswer = shape_of(
    Nudge,
    """{"step": 50, "address": "W1.1.1", "amount": 0.001, "now": -0.8398, "before": 0.50167, "after": 0.50164,
    "penalty": 0.0, "slope": -0.0286005, "gradient": -0.0286093, "penalty_gradient": 0.0, "total": -0.0286093,
    "difference": 8.8e-06, "verdict": "better", "agrees": true, "kink": false, "reruns": 25}""",
    verdict=Literal["better", "worse", "same"],
)
CheckAnswer = shape_of(
    Check,
    """{"step": 50, "parameters": 25, "checked": 25, "reruns": 51, "largest": 7.1e-11, "address": "W1.1.2",
    "scale": 0.339, "kinks": 0, "passed": true}""",
)
AlongAnswer = shape_of(
    Along,
    """{"step": 0, "reach": 1.0, "rate": 0.03, "lengths": [0.0, 0.5, 1.0], "rates": [0.0, 0.015, 0.03], "losses":
    [0.4407, 0.3871, 0.3381], "all_losses": [0.5492, 0.548, 0.5476], "examples": 120, "before": 0.4407, "after":
    0.3381, "promised": -0.1115, "verdicts": ["still", "short", "right"], "best": 1.0, "all_best": 1.0}""",
)
PathsAnswer = shape_of(
    Paths,
    """{"step": 0, "address": "W2.1.3", "example": 8, "count": 1, "links": 2, "ways": [{"factors": [{"of": "da3.1",
    "value": -0.9388, "so_far": -0.9388}, {"of": "slope3.1", "value": 0.9963, "so_far": -0.9353}], "product":
    -0.5816}], "gradient": -0.5816}""",
)
SliceAnswer = shape_of(
    Slice,
    """{"step": 50, "address": "W1.1.1", "now": -0.84, "loss": 0.5017, "penalty": 0.0, "gradient": -0.0286,
    "penalty_gradient": 0.0, "total": -0.0286, "values": [-1.34, -0.34], "losses": [0.516, 0.494], "landings":
    [{"factor": 1, "value": -0.839, "loss": 0.5016}]}""",
)
ContourAnswer = shape_of(
    Contour,
    """{"step": 50, "x_address": "W1.1.1", "y_address": "b1.1", "x": [-1.3411, -1.3077], "y": [-0.5494, -0.5144],
    "losses": [[0.47949, 0.47925], [0.48049, 0.48026]], "now": [-0.83983, -0.04941], "examples": 120, "path":
    [[-0.83835, 0.0], [-0.83811, -0.00134]], "path_steps": [0, 2]}""",
    losses=list[Vector],
    path_steps=list[int],
)
PlaneAnswer = shape_of(
    Plane,
    """{"step": 50, "across": "x1", "up": "x2", "x": [-6.0, -5.7551], "y": [-6.0, -5.7551], "rest": [0.04503, -0.10978],
    "outputs": [[[-0.0143, -0.01435], [-0.01394, -0.01401]]]}""",
    outputs=list[Matrix],
)
WishAnswer = shape_of(OneWish, name="Wish")
WishesAnswer = shape_of(
    Wished,
    """{"step": 50, "batch": 10, "address": "W1.1.1", "mean": -0.02861, "length": 0.7145, "wishes":
    [{"example": 72, "length": 2.2495, "cosine": 0.157, "wish": 0.02841, "gradient": [0.02841, 0.12382]}],
    "addresses": ["W1.1.1", "W1.1.2"]}""",
    name="Wishes",
)
LayerHealthAnswer = shape_of(Layered, name="LayerHealth")
HealthAnswer = shape_of(
    Healthy,
    """{"step": 0, "examples": [5, 67], "problem": "vanishing", "layer": 1, "sentence":
    "Gradients vanish on the way back: in hidden 1 they have 1/2,734 of the size they have at the output …",
    "layers": []}""",
    name="Health",
)
