"""Batch normalization of one unit, forwards and back: what the lesson on it runs."""

import numpy as np

z = np.array(
    [1.4, 1.1, 2.3, 0.6, 1.8, 2.8],
)
gamma, beta = 1.2, -0.1

# forward
mean = z.mean()
sd = np.sqrt(z.var() + 1e-5)
xhat = (z - mean) / sd
n = gamma * xhat + beta

# what comes back to n
dn = np.array(
    [-9, -5, 5, -2, -11, 2],
)
dn = dn / 100

# backward
dgamma = (dn * xhat).sum()
dbeta = dn.sum()
d = gamma * dn
level = d.mean()
tilt = (d * xhat).mean()
dz = (d - level - tilt * xhat) / sd
