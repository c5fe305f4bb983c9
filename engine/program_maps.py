"""The lines of the program about feature maps: what a layer of them makes and what comes back, as NumPy."""

from collections.abc import Callable, Iterator

from engine.equation import Equation, line_of, mapped
from engine.equations import Equations
from engine.network import Network
from engine.operations.base import Node
from engine.operations.conv2d import padding_of, side_of

Line = tuple[str, str]  # the quantity that the line computes, "" for none; and the line
Spell = Callable[[str], str]  # what a parameter is called in the line


def forward(made: Equations, k: int, spell: Spell = str) -> Iterator[Line]:
    """All that a layer of feature maps makes, from z on."""
    network, node = made.network, made.maps.node(k)
    yield from _summed(network, k, node, spell)
    for letter in network.stages[k - 1][1:]:
        if letter == "n":
            yield from _normed(k, _axes(network, k), spell)
        elif letter == "a":
            yield f"a{k}", line_of(made.a(k, "j", "n", stable=True))
        elif network.at(k, letter)[1].equation is None:
            yield from _pooled(network, k)
        else:
            yield f"{letter}{k}", line_of(made.attached(letter, k, "j", "n"))


def _summed(network: Network, k: int, node: Node, spell: Spell) -> Iterator[Line]:
    below = f"{network.given_kind(k - 1)}{k - 1}" if k > 1 else "x"
    if not network.image(k - 1, network.given_kind(k - 1)) or k == 1:
        below += f".reshape(-1, {', '.join(map(str, node.takes))})"
    pad, side, stride = padding_of(node), side_of(node), node.option("stride")
    padded = f"np.pad({below}, ((0, 0), (0, 0), ({pad}, {pad}), ({pad}, {pad})))" if pad else below
    steps = f"[:, :, ::{stride}, ::{stride}]" if stride > 1 else ""
    view = f"np.lib.stride_tricks.sliding_window_view({padded}, ({side}, {side}), (2, 3)){steps}"
    yield "", f"seen{k} = {view}"
    summed = f'np.einsum("ncyxij,fcij->nfyx", seen{k}, {spell(f"W{k}")})'
    yield f"z{k}", f"z{k} = {summed} + {spell(f'b{k}')}[:, None, None]"


def _axes(network: Network, k: int) -> str:
    """What a normalization takes together."""
    return "(1, 2, 3)" if network.norms[k] == "layer_norm" else "(0, 2, 3)"


def _normed(k: int, axes: str, spell: Spell) -> Iterator[Line]:
    gamma, beta = (f"{spell(f'{each}_{k}')}[:, None, None]" for each in ("gamma", "beta"))
    yield f"mean{k}", f"mean{k} = z{k}.mean({axes}, keepdims=True)"
    yield f"spread{k}", f"spread{k} = np.sqrt(((z{k} - mean{k})**2).mean({axes}, keepdims=True) + eps)"
    yield f"xhat{k}", f"xhat{k} = (z{k} - mean{k}) / spread{k}"
    yield f"n{k}", f"n{k} = {gamma} * xhat{k} + {beta}"


def _pooled(network: Network, k: int) -> Iterator[Line]:
    node, own = network.pools[k], f"{network.before(k, 'v')}{k}"
    if node.operation == "global_pool":
        yield f"v{k}", f"v{k} = {own}.mean((2, 3))"
        return
    side, (channels, high, wide) = node.option("size"), network.image(k, "v")
    cut = f"{own}[:, :, :{side * high}, :{side * wide}]"
    apart = f"{cut}.reshape(-1, {channels}, {high}, {side}, {wide}, {side}).swapaxes(3, 4)"
    yield "", f"windows{k} = {apart}.reshape(-1, {channels}, {high}, {wide}, {side * side})"
    yield f"v{k}", f"v{k} = windows{k}.{'max' if node.operation == 'max_pool' else 'mean'}(-1)"


def flattened(made: Equations, of: Equation, k: int) -> Equation:
    """An equation of a dense layer; where it takes feature maps, with their numbers in one row."""
    kind = made.network.given_kind(k - 1)
    if k == 1 or not made.network.image(k - 1, kind):
        return of
    return Equation(
        of.target, mapped(of.tree, lambda q: q.like("flat") if (q.kind, q.layer) == (kind, k - 1) else q), of.where
    )


def flat(network: Network, k: int) -> Iterator[Line]:
    """The line that puts a layer's feature maps in one row, where a dense layer takes them."""
    if k < len(network.shapes) and network.image(k, network.given_kind(k)) and not network.image(k + 1):
        own = f"{network.given_kind(k)}{k}"
        yield "", f"flat{k} = {own}.reshape(n, -1)"


def came_back(made: Equations, k: int) -> Iterator[Line]:
    """What comes back to all that a layer makes after what its activation takes, of which a layer above, or the layer
    itself, has feature maps."""
    network = made.network
    for letter in reversed("a" + network.behind(k)):
        after = network.after(k, letter)
        if not after:
            yield from _from_above(made, k, f"d{letter}{k}")
        elif network.at(k, after)[1].equation is None:
            yield from _through_pool(network, k, letter)
        else:
            yield f"d{letter}{k}", line_of(made.came(letter, k, "j", "n"))


def _from_above(made: Equations, k: int, name: str) -> Iterator[Line]:
    network, above = made.network, k + 1
    arcs = "".join(f" + {network.joint_kind(to)}{to}" for to in network.arcs(k))
    image = network.image(k, network.given_kind(k))
    if not network.image(above):
        summed = (
            f"(dz{above} @ W{above}).reshape(n, {', '.join(map(str, image))})" if image else f"dz{above} @ W{above}"
        )
        yield name, f"{name} = {summed}{arcs}"
        return
    node = made.maps.node(above)
    pad, side, stride, (channels, high, wide) = padding_of(node), side_of(node), node.option("stride"), node.takes
    _, down, across = network.image(above)
    yield "", f'back{above} = np.einsum("nfyx,fcij->ncyxij", dz{above}, W{above})'
    yield "", f"wide{k} = np.zeros((n, {channels}, {high + 2 * pad}, {wide + 2 * pad}))"
    yield "", f"for i in range({side}):"
    yield "", f"    for j in range({side}):"
    rows, columns = f"i:i + {stride * down}:{stride}", f"j:j + {stride * across}:{stride}"
    yield "", f"        wide{k}[:, :, {rows}, {columns}] += back{above}[..., i, j]"
    cut = f"wide{k}[:, :, {pad}:{pad + high}, {pad}:{pad + wide}]" + ("" if image else ".reshape(n, -1)")
    yield name, f"{name} = {cut}{arcs}"


def _through_pool(network: Network, k: int, letter: str) -> Iterator[Line]:
    node, own, name = network.pools[k], f"{letter}{k}", f"d{letter}{k}"
    if node.operation == "global_pool":
        yield name, f"{name} = np.broadcast_to(dv{k}[:, :, None, None], {own}.shape) / {node.places}"
        return
    side, (channels, high, wide) = node.option("size"), network.image(k, "v")
    if node.operation == "max_pool":
        yield "", f"wins{k} = np.arange({side * side}) == windows{k}.argmax(-1)[..., None]"
        shares = f"(dv{k}[..., None] * wins{k})"
    else:
        shares = f"np.broadcast_to(dv{k}[..., None] / {side * side}, windows{k}.shape)"
    apart = f"{shares}.reshape(n, {channels}, {high}, {wide}, {side}, {side}).swapaxes(3, 4)"
    yield "", f"{name} = np.zeros_like({own})"
    down, across = side * high, side * wide
    yield name, f"{name}[:, :, :{down}, :{across}] = {apart}.reshape(n, {channels}, {down}, {across})"


def backward(made: Equations, k: int) -> Iterator[Line]:
    """From what comes back to a layer of feature maps to its dz and its gradients."""
    network = made.network
    yield from came_back(made, k)
    bent = made.bent(k, "j", "n")
    yield f"{bent.target.kind}{k}", line_of(bent)
    if k in network.norms:
        axes = _axes(network, k)
        yield f"dgamma_{k}", f"dgamma_{k} = (dn{k} * xhat{k}).sum((0, 2, 3))"
        yield f"dbeta_{k}", f"dbeta_{k} = dn{k}.sum((0, 2, 3))"
        yield f"dxhat{k}", f"dxhat{k} = gamma_{k}[:, None, None] * dn{k}"
        yield f"dz_own{k}", f"dz_own{k} = dxhat{k} / spread{k}"
        yield f"dz_mean{k}", f"dz_mean{k} = -dxhat{k}.mean({axes}, keepdims=True) / spread{k}"
        tilt = f"(dxhat{k} * xhat{k}).mean({axes}, keepdims=True)"
        yield f"dz_spread{k}", f"dz_spread{k} = -xhat{k} * {tilt} / spread{k}"
        yield f"dz{k}", f"dz{k} = dz_own{k} + dz_mean{k} + dz_spread{k}"
    yield f"dW{k}", f'dW{k} = np.einsum("nfyx,ncyxij->fcij", dz{k}, seen{k})'
    yield f"db{k}", f"db{k} = dz{k}.sum((0, 2, 3))"
