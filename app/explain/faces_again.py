"""The moment after the update: the same examples run through the network that the step has made."""

from collections.abc import Iterator

from app.explain.moments import Face
from app.explain.scene import Known, Scene, Writer
from app.words.columns import Columns
from app.words.numbers import unsigned
from app.words.segments import Segments, say
from app.words.sentences import Sentence, sentence
from app.words.texts import text
from engine import OPTIMIZERS, PENALTIES, Quantity
from engine.arrays import Floats
from engine.equation import Equation, tree


def _again(scene: Scene, k: int, j: int, i: int) -> Face:
    before, after = scene.trace, scene.after.trace
    made = scene.after.equations.loss()
    values: dict[str, float | Floats] = {
        "loss": before.loss,
        "loss_next": after.loss,
        "penalty": before.penalty,
        "penalty_next": after.penalty,
        "a_next": after.layers[-1].a,
    }
    return scene.face(_told(scene), made, numbers=_numbers(scene), values=values)


def _told(scene: Scene) -> Iterator[Sentence]:
    before, after = scene.trace, scene.after.trace
    whole = before.loss + before.penalty, after.loss + after.penalty
    title = text(PENALTIES[before.spec.regularization].title) if before.spec.penalized else ""
    told, digits = "again with a penalty" if title else "again", _close(scene, *whole)
    yield sentence(told, title=title, before=unsigned(whole[0], digits), after=unsigned(whole[1], digits))
    yield _moved(scene)
    if not OPTIMIZERS[before.spec.optimizer].search:
        way = before.parameters_next - before.parameters
        promised, brought = float((before.gradient + before.penalty_gradient) @ way), whole[1] - whole[0]
        yield sentence("promise", promised=promised, brought=brought)


def _close(scene: Scene, before: float, after: float) -> int:
    """With how many digits two losses are told, so that their difference is that of what is printed."""
    old, new, brought = (Quantity("again", 0, (n,)) for n in (1, 2, 3))
    known = Known(scene.look, {old: before, new: after, brought: after - before})
    return Columns(known).digits(Equation(brought, tree(new) - tree(old)))


def _moved(scene: Scene) -> Sentence:
    """What running it again gives at the output of one example, as far as one number can say."""
    j, outputs = scene.wanted or 1, scene.sizes[scene.last]
    if scene.count > 1 or (outputs > 1 and not scene.wanted):
        return scene.say("run again", count=scene.count)
    y = float(scene.trace.y[0, j - 1])
    was, now = (float(each.layer(scene.last).a[0, j - 1]) for each in (scene, scene.after))
    nearer = abs(was - y) - abs(now - y)
    which = scene.wanted_name if scene.wanted else text("the output")
    return sentence("output again", which=which, was=was, now=now, y=y, nearer=nearer)


def _numbers(scene: Scene) -> Segments:
    """The new loss as its equation has it, and with what regularization adds."""
    after, loss = scene.after.trace, scene.after.equations.loss()
    told = say("L = ", *scene.after.closing(loss))
    if not after.spec.penalized:
        return told
    whole = Quantity("whole")
    both = Equation(whole, tree(Quantity("loss")) + tree(Quantity("penalty")))
    return say(*told, "; L + R = ", *scene.after.closing(both, {whole: after.loss + after.penalty}))


AGAIN: dict[str, Writer] = {"again": _again}
