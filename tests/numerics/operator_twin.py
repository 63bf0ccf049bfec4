"""The operator of the solver in plain NumPy and SciPy, to compare with."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg

from tme_sim.numerics.links import Links


def apply(k, diag, links, u):
    """Return A u, species last."""
    au = diag * u
    for axis, face in ((2, links.x), (1, links.y), (0, links.z)):
        low = [slice(None)] * 3
        high = [slice(None)] * 3
        low[axis], high[axis] = slice(0, -1), slice(1, None)
        flux = k * face[..., None] * np.diff(u, axis=axis)
        au[tuple(low)] -= flux
        au[tuple(high)] += flux
    return au


def matrix(shape, k, diag, links):
    """Return A of one species as a sparse matrix."""
    index = np.arange(np.prod(shape)).reshape(shape)
    rows, columns, values = [], [], []
    for axis, face in ((2, links.x), (1, links.y), (0, links.z)):
        a = index.take(range(shape[axis] - 1), axis).ravel()
        b = index.take(range(1, shape[axis]), axis).ravel()
        g = k * face.ravel()
        rows += [a, b, a, b]
        columns += [b, a, a, b]
        values += [-g, -g, g, g]
    rows, columns, values = map(np.concatenate, (rows, columns, values))
    n = index.size
    return (sparse.coo_array((values, (rows, columns)), (n, n)) + sparse.diags_array(diag.ravel())).tocsc()


def solve(shape, k, diag, rhs, links=None):
    """Return the exact solution of every species by sparse LU."""
    links = links if links is not None else Links.uniform(shape)
    u = np.empty_like(rhs)
    for s in range(len(k)):
        a = matrix(shape, k[s], diag[..., s], links)
        u[..., s] = scipy.sparse.linalg.spsolve(a, rhs[..., s].ravel()).reshape(shape)
    return u


def random_links(shape, rng, closed=0.1):
    """Return links between 0.1 and 2, a share of them closed."""
    links = Links.uniform(shape)
    return Links(
        *(
            rng.uniform(0.1, 2.0, face.shape) * (rng.random(face.shape) > closed)
            for face in (links.x, links.y, links.z)
        )
    )
