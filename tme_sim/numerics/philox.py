"""Philox4x32-10: random numbers as a pure function of (seed, key, step, stream, draw)."""

from __future__ import annotations

import math

import numpy as np

from tme_sim.numerics.jit import inline_kernel, kernel

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_16 = np.uint64(16)
_11 = np.uint64(11)
_TO_UNIT = 2.0**-53
_CHILD_SEED_LOW = np.uint64(0x6C696E65)
_CHILD_SEED_HIGH = np.uint64(0x61676521)


@inline_kernel
def _two_rounds(c0, c1, c2, c3, k0, k1):
    """Run two rounds with two keys on uint64 words that hold 32 bits each, so that no promotion can widen them."""
    p0, p1 = _M0 * c0, _M1 * c2
    c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ k0, p1 & _LOW, (p0 >> _32) ^ c3 ^ k1, p0 & _LOW
    k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    p0, p1 = _M0 * c0, _M1 * c2
    c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ k0, p1 & _LOW, (p0 >> _32) ^ c3 ^ k1, p0 & _LOW
    return c0, c1, c2, c3, (k0 + _W0) & _LOW, (k1 + _W1) & _LOW


@inline_kernel
def _rounds(c0, c1, c2, c3, k0, k1):
    """Run ten rounds; without a loop, so that loops over keys run at the width of the vector unit."""
    c0, c1, c2, c3, k0, k1 = _two_rounds(c0, c1, c2, c3, k0, k1)
    c0, c1, c2, c3, k0, k1 = _two_rounds(c0, c1, c2, c3, k0, k1)
    c0, c1, c2, c3, k0, k1 = _two_rounds(c0, c1, c2, c3, k0, k1)
    c0, c1, c2, c3, k0, k1 = _two_rounds(c0, c1, c2, c3, k0, k1)
    c0, c1, c2, c3, k0, k1 = _two_rounds(c0, c1, c2, c3, k0, k1)
    return c0, c1, c2, c3


@kernel
def philox4x32(c0, c1, c2, c3, k0, k1):
    """Return the four 32-bit words of Philox4x32-10.

    Parameters
    ----------
    c0, c1, c2, c3 : uint32
        Counter.
    k0, k1 : uint32
        Key.

    Returns
    -------
    tuple of four uint32

    Source: Salmon et al. 2011, doi:10.1145/2063384.2063405.
    """
    x0, x1, x2, x3 = _rounds(
        np.uint64(c0) & _LOW,
        np.uint64(c1) & _LOW,
        np.uint64(c2) & _LOW,
        np.uint64(c3) & _LOW,
        np.uint64(k0) & _LOW,
        np.uint64(k1) & _LOW,
    )
    return np.uint32(x0), np.uint32(x1), np.uint32(x2), np.uint32(x3)


@kernel
def uniform(seed, key, step, stream, draw):
    """Return one uniform number in [0, 1) with 53 random bits.

    Parameters
    ----------
    seed : uint64
        Seed of the run.
    key : uint64
        Lineage key of a cell or index of a site.
    step : int
        Step of the clock, below 2**32.
    stream, draw : int
        Use of the number (``state.codes``) and its place within that use; below 2**16 each.

    Returns
    -------
    float64
    """
    return _uniform(np.uint64(seed), np.uint64(key), np.uint64(step) & _LOW, _use(stream, draw))


@inline_kernel
def _uniform(seed, key, step, use):
    x0, x1, _, _ = _rounds(key & _LOW, key >> _32, step, use, seed & _LOW, seed >> _32)
    return np.float64(((x0 << _32) | x1) >> _11) * _TO_UNIT


@inline_kernel
def _use(stream, draw):
    return ((np.uint64(stream) << _16) | np.uint64(draw)) & _LOW


@inline_kernel
def happens(u, expected):
    """Return whether at least one event of a Poisson process occurs, from a uniform number and how many are expected.

    That is u < 1 - exp(-expected), which is less than ``expected``; the exponential is seldom needed.
    """
    return u < expected and u < -math.expm1(-expected)


@kernel
def child_key(key, birth_number):
    """Return the lineage key of a cell's daughter.

    Parameters
    ----------
    key : uint64
        Lineage key of the mother; 0 gives the keys of founders, numbered by their site.
    birth_number : int
        Which daughter of that mother, from 0.

    Returns
    -------
    uint64
    """
    k = np.uint64(key)
    b = np.uint64(birth_number)
    x0, x1, _, _ = _rounds(k & _LOW, k >> _32, b & _LOW, b >> _32, _CHILD_SEED_LOW, _CHILD_SEED_HIGH)
    return (x0 << _32) | x1


@kernel
def fill_uniforms(
    seed: np.uint64, keys: np.ndarray, step: int, stream: int, draw: int, out: np.ndarray
) -> None:
    """Write `uniform` of every key, uint64 (n,), to ``out``, float64 (n,); ten times as fast as one by one."""
    use, at = _use(stream, draw), np.uint64(step) & _LOW
    for i in range(len(keys)):
        out[i] = _uniform(seed, keys[i], at, use)


@kernel
def _fill_child_keys(keys, births, out):
    for i in range(len(keys)):
        out[i] = child_key(keys[i], births[i])


def uniforms(seed: int, keys: np.ndarray, step: int, stream: int, draw: int) -> np.ndarray:
    """Return one uniform number per key.

    Parameters
    ----------
    seed : int
        Seed of the run, 0 to 2**64 - 1.
    keys : uint64 (n,)
        Lineage keys or site indices.
    step, stream, draw : int
        As in `uniform`.

    Returns
    -------
    float64 (n,)
        In [0, 1).
    """
    keys = np.ascontiguousarray(keys, dtype=np.uint64)
    out = np.empty(len(keys))
    fill_uniforms(np.uint64(seed), keys, int(step), int(stream), int(draw), out)
    return out


def child_keys(keys: np.ndarray, births: np.ndarray) -> np.ndarray:
    """Return the daughters' lineage keys, uint64 (n,), of mothers' keys uint64 (n,) and birth numbers."""
    keys = np.ascontiguousarray(keys, dtype=np.uint64)
    out = np.empty(len(keys), np.uint64)
    _fill_child_keys(keys, np.ascontiguousarray(births, dtype=np.int64), out)
    return out


def founder_keys(sites: np.ndarray) -> np.ndarray:
    """Return the lineage keys, uint64 (n,), of founder cells at flat sites int64 (n,)."""
    return child_keys(np.zeros(len(sites), np.uint64), sites)
