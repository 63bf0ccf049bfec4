"""Which vertices of a graph lie on a path from one root to another: where something can flow through."""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.jit import kernel


def neighbour_lists(n: int, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the neighbours of every vertex as one list.

    Parameters
    ----------
    n : int
        Number of vertices.
    pairs : int64 (k, 2)
        Edges, each once and between different vertices.

    Returns
    -------
    start : int64 (n + 1,)
        The neighbours of vertex v are ``neighbour[start[v]:start[v + 1]]``.
    neighbour : int64 (2 k,)
        Ascending for each vertex.
    """
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    start = np.searchsorted(both[:, 0], np.arange(n + 1)).astype(np.int64)
    return start, np.ascontiguousarray(both[:, 1], np.int64)


def on_through_path(
    start: np.ndarray, neighbour: np.ndarray, root: np.ndarray, *, open_roots: bool
) -> np.ndarray:
    """Return which vertices lie on a path without repetition between two roots, bool (n,).

    With a pressure of its own at every root, these are the vertices through which anything flows; all others
    hang on the rest by one vertex alone. Join a further vertex to all roots: wanted is its biconnected
    component, found by depth-first search (Hopcroft & Tarjan 1973, doi:10.1145/362248.362272).

    Parameters
    ----------
    start, neighbour : int64 (n + 1,), int64 (2 k,)
        As `neighbour_lists` returns them.
    root : bool (n,)
    open_roots : bool
        True: a root is an inlet and an outlet at once, and always counts.
    """
    out = np.zeros(len(root), np.bool_)
    _search(start, neighbour, root, open_roots, out)
    return out


@kernel
def _search(start, neighbour, root, open_roots, out_through):
    """Number vertices from 1 in the order of the search; the further vertex that joins all roots is number 0."""
    n = len(root)
    number, low = np.zeros(n, np.int64), np.zeros(n, np.int64)
    parent, cursor = np.full(n, -1, np.int64), start[:-1].copy()
    order, stack = np.empty(n, np.int64), np.empty(n, np.int64)
    found = 0
    for first in range(n):
        if not root[first] or number[first] > 0:
            continue
        stack[0], depth = first, 1
        number[first] = found + 1
        low[first] = 0 if open_roots else number[first]
        order[found] = first
        found += 1
        while depth > 0:
            v = stack[depth - 1]
            if cursor[v] == start[v + 1]:
                depth -= 1
                if parent[v] >= 0:
                    low[parent[v]] = min(low[parent[v]], low[v])
                continue
            w = neighbour[cursor[v]]
            cursor[v] += 1
            if w == parent[v]:
                continue
            if number[w] > 0:
                low[v] = min(low[v], number[w])
                continue
            parent[w] = v
            number[w] = found + 1
            low[w] = 0 if root[w] else number[w]
            order[found] = w
            found += 1
            stack[depth] = w
            depth += 1
    for k in range(found):
        v = order[k]
        if parent[v] < 0:
            out_through[v] = low[v] == 0
        else:
            out_through[v] = out_through[parent[v]] and low[v] < number[parent[v]]
