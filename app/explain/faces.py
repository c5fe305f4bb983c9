"""Who tells a moment: one table of its kinds, and for feature maps what is told in their stead."""

from app.draw.maps import flattens
from app.explain.faces_again import AGAIN
from app.explain.faces_attached import attached
from app.explain.faces_backward import BACKWARD, back_to
from app.explain.faces_forward import FORWARD
from app.explain.faces_maps import MAPS
from app.explain.faces_update import UPDATE
from app.explain.moments import Face
from app.explain.plan import Key, kind_of, letter_of
from app.explain.scene import Scene

_FACES = FORWARD | BACKWARD | UPDATE | AGAIN


def face_of(scene: Scene, key: Key) -> Face:
    """What the moment of a key tells."""
    _, kind, k, j, i = key
    flat = kind in ("product", "product_back") and flattens(scene.network, k)
    of_maps = k and (scene.network.image(k) or flat) and kind in MAPS
    made = (MAPS if of_maps else _FACES).get(kind)
    if made is not None:
        return made(scene, k, j, i)
    letter = letter_of(scene.network, key)
    return (back_to if key.phase == "backward" else attached)(scene, k, j, letter)


def faces_of(scene: Scene, k: int, j: int) -> tuple[list[Face], list[Face]]:
    """The moments of a unit or a channel, forwards and back, as its receipt tells them."""
    network, normed = scene.network, k in scene.network.norms
    if network.image(k):
        ahead = ["window", *(["map_norm"] if normed else [])]
        back = ["map_back", *(["map_ways"] if normed else []), "kernel"]
    else:
        ahead = ["z", "norm", "activation"] if normed else ["forward"]
        back = ["came_back", "three_ways"] if normed else ["delta"]
    ahead += [kind_of(network, k, letter) for letter in network.attached(k)]
    return (
        [face_of(scene, Key("forward", kind, k, j)) for kind in ahead],
        [face_of(scene, Key("backward", kind, k, j)) for kind in back],
    )
