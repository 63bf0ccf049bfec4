import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tme_sim.numerics.claims import settle_claims

claims = st.lists(st.tuples(st.integers(-1, 12), st.sampled_from([0.0, 0.25, 0.5, 0.99])), max_size=60)


def _arrays(entries):
    site = np.array([s for s, _ in entries], np.int64)
    priority = np.array([p for _, p in entries])
    key = np.random.default_rng(len(entries)).permutation(len(entries)).astype(np.uint64)
    return site, priority, key


@settings(deadline=None)
@given(claims)
def test_settle_claims_gives_every_claimed_site_one_winner(entries):
    site, priority, key = _arrays(entries)
    winner = settle_claims(site, priority, key, 13)
    assert sorted(site[winner].tolist()) == sorted(set(site[site >= 0].tolist()))


@settings(deadline=None)
@given(claims, st.randoms(use_true_random=False))
def test_settle_claims_is_independent_of_order(entries, random):
    site, priority, key = _arrays(entries)
    order = list(range(len(entries)))
    random.shuffle(order)
    order = np.array(order, np.int64)
    winner = settle_claims(site, priority, key, 13)
    again = settle_claims(site[order], priority[order], key[order], 13)
    assert np.array_equal(winner[order], again)


@settings(deadline=None)
@given(claims)
def test_settle_claims_winner_has_highest_priority_then_lowest_key(entries):
    site, priority, key = _arrays(entries)
    winner = settle_claims(site, priority, key, 13)
    for s in set(site[site >= 0].tolist()):
        rivals = np.flatnonzero(site == s)
        best = max(rivals, key=lambda i: (priority[i], -int(key[i])))
        assert winner[best]
