import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tme_sim.numerics.through_paths import neighbour_lists, on_through_path


def through(n, pairs, roots, *, open_roots=False):
    root = np.zeros(n, bool)
    root[list(roots)] = True
    lists = neighbour_lists(n, np.array(pairs, np.int64).reshape(-1, 2))
    return np.flatnonzero(on_through_path(*lists, root, open_roots=open_roots)).tolist()


def test_neighbours_are_listed_both_ways_in_ascending_order():
    start, neighbour = neighbour_lists(4, np.array([[2, 3], [0, 2]]))
    assert start.tolist() == [0, 1, 1, 3, 4]
    assert neighbour.tolist() == [2, 0, 3, 2]


def test_path_between_two_roots_flows_and_its_dead_end_does_not():
    pairs = [(0, 1), (1, 2), (2, 3), (1, 4), (4, 5)]
    assert through(6, pairs, [0, 3]) == [0, 1, 2, 3]


def test_loop_on_one_vertex_does_not_flow():
    pairs = [(0, 1), (1, 2), (2, 3), (1, 4), (4, 5), (5, 1)]
    assert through(6, pairs, [0, 3]) == [0, 1, 2, 3]


def test_loop_back_to_the_path_at_another_vertex_flows():
    pairs = [(0, 1), (1, 2), (2, 3), (1, 4), (4, 2)]
    assert through(5, pairs, [0, 3]) == [0, 1, 2, 3, 4]


def test_open_root_flows_alone_and_a_loop_on_it_does_not():
    assert through(4, [(0, 1), (1, 2), (2, 0)], [0, 3], open_roots=True) == [0, 3]
    assert through(4, [(0, 1), (1, 2), (2, 0)], [0, 3]) == []


def test_nothing_flows_without_roots_or_vertices():
    assert through(3, [(0, 1), (1, 2)], []) == []
    assert through(0, [], []) == []


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 12))
    every = [(a, b) for a in range(n) for b in range(a)]
    pairs = draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    return n, pairs, draw(st.sets(st.integers(0, n - 1)))


@pytest.mark.parametrize("open_roots", [False, True])
@given(graph=graphs())
def test_agrees_with_the_biconnected_component_of_a_vertex_joined_to_all_roots(open_roots, graph):
    n, pairs, roots = graph
    twin = nx.Graph(pairs)
    joins = 2 if open_roots else 1
    for k in range(joins):
        twin.add_edges_from((root, f"blood {k}") for root in roots)
    if joins == 2:  # two further vertices that are joined stand for two edges to one
        twin.add_edge("blood 0", "blood 1")
    parts = [part for part in nx.biconnected_components(twin) if len(part) > 2 and "blood 0" in part]
    expected = sorted(v for v in set().union(*parts) if isinstance(v, int)) if parts else []
    assert through(n, pairs, roots, open_roots=open_roots) == expected
