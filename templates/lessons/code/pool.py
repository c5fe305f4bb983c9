"""A max pool and a mean pool, forwards and back, window by window, as the lesson on them runs it."""

import numpy as np

x = np.array(
    [
        [1, 3, 2, 0],
        [0, 2, 5, 1],
        [4, 1, 0, 1],
        [2, 1, 3, 2],
    ]
)
d = np.array([[0.7, -0.2], [0.8, -1.3]])
largest = np.zeros((2, 2))
mean = np.zeros((2, 2))
to_winner = np.zeros((4, 4))
to_all = np.zeros((4, 4))

for i, j in list(np.ndindex(2, 2)):
    r, c = 2 * i, 2 * j
    seen = x[r : r + 2, c : c + 2]

    # forward
    largest[i, j] = seen.max()
    mean[i, j] = seen.mean()

    # backward
    k, m = divmod(seen.argmax(), 2)
    to_winner[r + k, c + m] += d[i, j]
    each = d[i, j] / 4
    to_all[r : r + 2, c : c + 2] += each
