import numpy as np
import pytest

from tme_sim.numerics.jit import kernel
from tme_sim.numerics.philox import (
    child_key,
    child_keys,
    founder_keys,
    happens,
    philox4x32,
    uniform,
    uniforms,
)

KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "output"), KNOWN)
def test_philox_known_answers_match(counter, key, output):
    words = philox4x32(*[np.uint32(w) for w in (*counter, *key)])
    assert tuple(int(w) for w in words) == output


def test_uniform_is_built_from_first_two_words():
    key, seed, step, stream, draw = 0x0123456789ABCDEF, 0xFEDCBA9876543210, 77, 5, 3
    w0, w1, _, _ = philox4x32(
        np.uint32(key & 0xFFFFFFFF),
        np.uint32(key >> 32),
        np.uint32(step),
        np.uint32(stream << 16 | draw),
        np.uint32(seed & 0xFFFFFFFF),
        np.uint32(seed >> 32),
    )
    expected = ((int(w0) << 32 | int(w1)) >> 11) / 2**53
    assert uniform(np.uint64(seed), np.uint64(key), step, stream, draw) == expected
    assert uniforms(seed, np.array([key], np.uint64), step, stream, draw)[0] == expected


def test_uniforms_are_uniform_over_keys():
    u = uniforms(1, np.arange(100_000, dtype=np.uint64), 0, 4, 0)
    counts, _ = np.histogram(u, bins=50, range=(0, 1))
    chi2 = np.sum((counts - 2000.0) ** 2 / 2000.0)
    assert 20.0 < chi2 < 90.0
    assert u.min() >= 0.0
    assert u.max() < 1.0


def test_uniforms_of_neighbouring_steps_streams_and_draws_are_uncorrelated():
    keys = np.arange(20_000, dtype=np.uint64)
    base = uniforms(1, keys, 5, 4, 0)
    for seed, step, stream, draw in ((2, 5, 4, 0), (1, 6, 4, 0), (1, 5, 5, 0), (1, 5, 4, 1)):
        other = uniforms(seed, keys, step, stream, draw)
        assert abs(np.corrcoef(base, other)[0, 1]) < 4 / np.sqrt(len(keys))


def test_child_keys_are_distinct():
    keys = founder_keys(np.arange(1000))
    mothers = np.repeat(keys, 20)
    births = np.tile(np.arange(20), 1000)
    assert len(np.unique(np.concatenate([keys, child_keys(mothers, births)]))) == 21_000


def test_child_key_scalar_equals_vector():
    key = np.uint64(2**63 + 5)
    assert child_key(key, 7) == child_keys(np.array([key]), np.array([7]))[0]


@pytest.mark.parametrize("n", [0, 1, 7, 8, 65])
def test_numbers_side_by_side_are_those_one_by_one(n):
    keys = child_keys(np.zeros(n, np.uint64), np.arange(n))
    one_by_one = [uniform(2**63, key, 2**32 - 1, 9, 3) for key in keys]
    assert uniforms(2**63, keys, 2**32 - 1, 9, 3).tolist() == one_by_one


def test_events_happen_as_often_as_a_poisson_process_has_one():
    draws = uniforms(5, np.arange(100_000, dtype=np.uint64), 1, 2, 0)
    for expected in (0.0, 0.05, 0.7, 3.0):
        share = np.mean([_happens(u, expected) for u in draws])
        assert share == pytest.approx(1.0 - np.exp(-expected), abs=0.006)


@kernel
def _happens(u, expected):
    return happens(u, expected)
