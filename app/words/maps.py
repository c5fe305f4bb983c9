"""What the walkthrough says of feature maps: convolutions and pools, forwards, back and in the update."""

from app.words.messages import Message

MAPS: dict[str, Message] = {
    "window": Message(
        "{Channel}: its kernel lies over every place of {below}, and adds up what is below it, times its weights, and "
        "the bias. The sum largest by size stands in row {row}, column {column}: z = {z:forward}."
    ),
    "window at a place": Message(
        "{Channel}: its kernel lies over every place of {below}, and adds up what is below it, times its weights, and "
        "the bias. In row {row}, column {column} the sum is z = {z:forward}."
    ),
    "window in a batch": Message(
        "{Channel}: its kernel lies over every place of {below}, and adds up what is below it, times its weights, and "
        "the bias. In row {row}, column {column}, where example {example} has its largest sum by size, z = "
        "{z:forward}, the mean of the batch of {count}."
    ),
    "window at a place in a batch": Message(
        "{Channel}: its kernel lies over every place of {below}, and adds up what is below it, times its weights, and "
        "the bias. In row {row}, column {column} the sum is z = {z:forward}, the mean of the batch of {count}."
    ),
    "product at a place": Message(
        "{Channel}, row {row}, column {column}: the window that it looks at in {source}, number by number times the "
        "kernel that lies over it, adds up to {gives:forward}."
    ),
    "product at a place in a batch": Message(
        "{Channel}, row {row}, column {column}: the window that it looks at in {source}, number by number times the "
        "kernel that lies over it, adds up to {gives:forward}, the mean of the batch of {count}."
    ),
    "product of a place in a batch": Message(
        "{Unit} takes maps number by number. {Channel} has {a:forward} in row {row}, column {column}, the mean of the "
        "batch of {count}: times the weight for it, {gives:forward}."
    ),
    "product of a place": Message(
        "{Unit} takes maps number by number. {Channel} has {a:forward} in row {row}, column {column}: times the weight "
        "for it, {gives:forward}."
    ),
    "number back to a place": Message(
        "{Channel} sends its δ back to row {row}, column {column} of {source}, times the weight for it: "
        "{brings:backward}."
    ),
    "number back to a place in a batch": Message(
        "{Channel} sends each example's δ back to row {row}, column {column} of {source}, times the weight for it: "
        "{brings:backward}, the sum over the batch of {count}."
    ),
    "product back to a place in a batch": Message(
        "{Source} gave what stands in row {row}, column {column} to several windows of {channel}. Each sends back its "
        "δ times the weight that lay over it, so the kernel lies turned over the δ: together {brings:backward}, the "
        "sum over the batch of {count}."
    ),
    "product back to a place": Message(
        "{Source} gave what stands in row {row}, column {column} to several windows of {channel}. Each sends back its "
        "δ times the weight that lay over it, so the kernel lies turned over the δ: together {brings:backward}."
    ),
    "delta at a place": Message(
        "Times the slope of {function}: in row {row}, column {column}, where ∂L/∂a = {da:backward}."
    ),
    "delta at a place in a batch": Message(
        "Times each example's own slope of {function}: in row {row}, column {column}, where ∂L/∂a = {da:backward}, the "
        "sum over the batch of {count}."
    ),
    "one weight at its places": Message(
        "One weight, many places: the one in row {row}, column {column} of the kernel from {source}. At {count} of "
        "them what it met times what comes back is not 0, and these shares add up to {gradient:backward}."
    ),
    "one weight at its places in a batch": Message(
        "One weight, many places: the one in row {row}, column {column} of the kernel from {source}. At {count} places "
        "of all examples what it met times what comes back is not 0, and these shares add up to {gradient:backward}."
    ),
    "share of a place": Message("Row {row}, column {column}: {met:forward} × {dz:backward} = {share:backward}."),
    "gathered at a channel": Message(
        "{Channel} has {what} but once, for all of its places: what comes back to each of them adds up."
    ),
    "gathered at a channel in a batch": Message(
        "{Channel} has {what} but once, for all of its places on all {count} examples: what comes back to each of them "
        "adds up."
    ),
    "its bias": Message("its bias"),
    "its gain": Message("its gain"),
    "its shift": Message("its shift"),
    "its gain and its shift": Message("its gain and its shift"),
    "bent at a place": Message("{Function} makes that a = {a:forward}."),
    "bent at a place in a batch": Message(
        "{Function} turns each example's own z into its a: their mean is {a:forward}."
    ),
    "normed at a place": Message(
        "{Channel}: without the mean and measured in spreads, z = {z:forward} in row {row}, column {column} is x̂ = "
        "{xhat:forward}; with its gain and shift n = {n:forward}, and then a = {a:forward}."
    ),
    "normed at a place in a batch": Message(
        "{Channel}: without the mean and measured in spreads, each example's z is its x̂; with its gain and shift n, "
        "and then a. In row {row}, column {column} their means over the batch of {count} are z = {z:forward}, x̂ = "
        "{xhat:forward}, n = {n:forward} and a = {a:forward}."
    ),
    "together in layer_norm": Message("Mean and spread are of all the layer's maps, for each example by itself."),
    "together in batch_norm": Message(
        "Mean and spread are of all places of this channel, over all examples of the mini-batch."
    ),
    "max pool": Message(
        "Of each window of {side} × {side} places only the largest number goes on, of equals the first. In the window "
        "of row {row}, column {column} the winner is {v:forward}."
    ),
    "max pool in a batch": Message(
        "Of each window of {side} × {side} places only the largest number of each example goes on, of equals the "
        "first. In the window of row {row}, column {column} that is {v:forward}, the mean of the batch of {count}."
    ),
    "average pool in a batch": Message(
        "Of each window of {side} × {side} places the mean goes on. In the window of row {row}, column {column} it is "
        "{v:forward}, as mean of the batch of {count}."
    ),
    "average pool": Message(
        "Of each window of {side} × {side} places the mean goes on. In the window of row {row}, column {column} it is "
        "{v:forward}."
    ),
    "global pool": Message("Of the whole map of {places} places the mean goes on: {v:forward}."),
    "global pool in a batch": Message(
        "Of the whole map of {places} places the mean goes on: {v:forward}, as mean of the batch of {count}."
    ),
    "pool of a layer": Message("{Pool}: every map of {layer} goes from {before} to {after}."),
    "at the place": Message("That is in row {row}, column {column}."),
    "back to a place": Message(
        "{Channel}: what it gives at a place lay in several windows above. Each sends back its δ times the weight that "
        "lay over it, and they add up."
    ),
    "back to a number": Message(
        "{Unit} stands at one place of the image that is laid out above: every window that it was in sends back its δ "
        "times the weight that lay over it, and they add up."
    ),
    "back from units": Message(
        "{Channel}: every unit above took what it gives at a place. Each sends back its δ times its weight, and they "
        "add up."
    ),
    "only the winner": Message(
        "Through the max pool only the winner of each window gets what comes back to it; the others get exactly 0."
    ),
    "all share": Message("Through the mean, all {count} places of a window share what comes back to it."),
    "back through an operation": Message("Then back through {operation}, place by place."),
    "the same mask": Message("Where dropout put a number to 0, nothing comes back; the mask is the same."),
    "gradients meet": Message("What comes back over the shortcut is added: two ways, so gradients add."),
    "largest delta": Message(
        "Times the slope of {function}, most by size is left in row {row}, column {column}, where ∂L/∂a = "
        "{da:backward}."
    ),
    "largest delta in a batch": Message(
        "Times each example's own slope of {function}: in row {row}, column {column}, where example {example} has most "
        "by size left, ∂L/∂a = {da:backward}, the sum over the batch of {count}."
    ),
    "ways of a map in a batch": Message(
        "{Channel}: back through the normalization over its three ways, the number itself, the mean and the spread; in "
        "row {row}, column {column} they add up to {dz:backward}, the sum over the batch of {count}."
    ),
    "ways of a map": Message(
        "{Channel}: back through the normalization over its three ways, the number itself, the mean and the spread; in "
        "row {row}, column {column} they add up to {dz:backward}."
    ),
    "one weight, many places": Message(
        "{Channel}: one weight, many places. Each weight of its kernels was used at {places} places at most; at each, "
        "what came in times what comes back is its share, and the shares add up."
    ),
    "one weight, many places in a batch": Message(
        "{Channel}: one weight, many places. Each weight of its kernels was used at {places} places at most of each "
        "of {count} examples; at each, what came in times what comes back is its share, and the shares add up."
    ),
    "most of a kernel": Message(
        "The gradient largest by size has the weight in row {row}, column {column} of the kernel from {source}: "
        "{gradient:backward}."
    ),
    "window of a layer": Message(
        "Each of the {channels} kernels of {layer} lies over every place of {below}: {channels} maps of {high} × "
        "{wide}. {Function} bends every number."
    ),
    "maps go back": Message(
        "What comes back to the maps of {layer}, from every window above that a number was in, adds up, and goes "
        "through the slope at each place."
    ),
    "kernels ask": Message(
        "Every weight of {layer} was used at many places: its gradient is the sum over them, of what came in times "
        "what comes back."
    ),
    "one of the maps": Message("One of them is below: {channel}, row {row}, column {column}."),
    "one of the maps in a batch": Message(
        "One of them is below: {channel}, row {row}, column {column}, of example {example}."
    ),
    "one of the kernels": Message(
        "One of them is below: the weight in row {row}, column {column} of the kernel from {source} to {channel}."
    ),
    "dropout of a map": Message(
        "{Channel}: the mask puts some of its places to 0, others in every step, and multiplies those that stay by "
        "{scale:short}: h = {h:forward}."
    ),
    "dropout of a map in a batch": Message(
        "{Channel}: the mask puts some of its places to 0, others in every step and for every example, and multiplies "
        "those that stay by {scale:short}: h = {h:forward}, the mean of the batch of {count}."
    ),
}
