"""What the looks into one step answer, as shapes for the OpenAPI document: made of the values, with an example each."""

from typing import Any, Literal

from app.explain.answers import Healthy, Layered, Stretch, Walked, Wish, Wished
from app.explain.moments import Moment
from app.explain.receipts import Receipt
from app.run.schemas import Matrix, Vector
from app.run.shapes import shape_of
from engine.along import Along
from engine.maps import Plane
from engine.paths import Paths
from engine.probes import Check, Contour, Nudge, Slice

MomentAnswer = shape_of(
    Moment,
    shown="index phase kind layer units targets focus nodes links direction words symbols numbers code_line code "
    "values terms rest left_out",
    mathml=list[str] | None,
)
PhaseAnswer = shape_of(Stretch, name="Phase")
WalkthroughAnswer = shape_of(
    Walked,
    """{"step": 0, "examples": [8], "granularity": "pass", "count": 5, "collapsed": "", "phases":
    [{"phase": "forward", "first": 0, "count": 2}], "code": ["n, outputs = y.shape"], "moments": []}""",
    name="Walkthrough",
)
ReceiptAnswer = shape_of(
    Receipt,
    """{"step": 0, "address": "b2.1", "name": "b₂,₁", "place": "bias of hidden 2, unit 1", "kind":
    "parameter", "words": "Against its gradient, the bias goes up to +0.02425.", "symbols": "b", "numbers":
    "", "code": [], "came_from": ["a2.1"], "terms": [], "rest": 0.0, "left_out": 0, "mathml": null, "facts":
    {"now": -0.0044, "gradient": -0.95, "parts": [{"name": "gradient", "value": 0.0286}], "next": 0.0242}}""",
    shown="address name place kind words symbols numbers code came_from terms rest left_out",
    mathml=list[str] | None,
    facts=dict[str, Any],
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
    [0.4407, 0.387, 0.3381], "all_losses": [0.5492, 0.5479, 0.5476], "examples": 120, "before": 0.4407, "after":
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
    """{"step": 50, "x_address": "W1.1.1", "y_address": "b1.1", "x": [-0.5, 1.5], "y": [-0.5, 1.5], "losses":
    [[0.9, 0.4], [1.2, 0.6]], "now": [0.9, 0.1], "examples": 120, "path": [[0.0, 0.0], [0.9, 0.1]], "path_steps":
    [0, 50]}""",
    losses=list[Vector],
    path_steps=list[int],
)
PlaneAnswer = shape_of(
    Plane,
    """{"step": 50, "across": "mass", "up": "x2", "x": [3000.0, 6500.0], "y": [30.0, 60.0], "rest": [4200.0, 44.0,
    17.0], "outputs": [[[-0.9, 0.8], [-0.7, 0.9]]]}""",
    outputs=list[Matrix],
)
WishAnswer = shape_of(Wish)
WishesAnswer = shape_of(
    Wished,
    """{"step": 50, "batch": 10, "address": "W1.1.1", "mean": -0.0286, "length": 0.6, "wishes":
    [{"example": 48, "length": 1.1, "cosine": 0.16, "wish": 0.3, "gradient": null}], "addresses": null}""",
    name="Wishes",
)
LayerHealthAnswer = shape_of(Layered, name="LayerHealth")
HealthAnswer = shape_of(
    Healthy,
    """{"step": 0, "examples": [48, 11], "problem": "vanishing", "layer": 1, "sentence":
    "Gradients vanish …", "layers": []}""",
    name="Health",
)
