"""Times the solver on the lattices and stiffnesses of a typical run; one thread unless told otherwise.

python benchmarks/bench_solver.py [THREADS]
"""

import sys
import time

import numpy as np

from tme_sim.numerics.conserve import conserve
from tme_sim.numerics.jit import set_threads
from tme_sim.numerics.links import Links, links_with_wells, well_factor
from tme_sim.numerics.multigrid import Multigrid

REPEATS = 9
DT_MIN = 6.0


def clock():
    """Return processor time of this thread where it works alone, else wall time, s."""
    return time.thread_time() if threads_used() == 1 else time.perf_counter()


def threads_used():
    return int(sys.argv[1]) if len(sys.argv) > 1 else 1


def fastest(solve, u, start):
    """Return the shortest of some runs of ``solve`` from the same start, ms, and its last report."""
    times, report = [], None
    for _ in range(REPEATS):
        u[:] = start
        begin = clock()
        report = solve()
        times.append(clock() - begin)
    return min(times) * 1e3, report


def show(name, milliseconds, report, n_sites):
    per = milliseconds * 1e6 / (n_sites * report.iterations.sum())
    counts = f"{report.iterations.min()}-{report.iterations.max()}"
    print(
        f"{name:52s} {milliseconds:8.1f} ms   iterations {counts:>6s}   {per:5.1f} ns/site/species/iteration"
    )


def transient(shape, k_dt):
    """Time a step whose sources and sinks changed at 1 % of the sites; returns ms and the report."""
    rng = np.random.default_rng(0)
    k = np.array(k_dt) / DT_MIN
    full = (*shape, len(k))
    vessel = rng.random(shape) < 0.01
    solver = Multigrid(shape, k, links_with_wells(Links.uniform(shape), vessel, well_factor(20.0, 5.0)))
    diag = (
        1.0 / DT_MIN + np.where(rng.random(full) < 0.6, 0.05, 0.005) + np.where(vessel[..., None], 0.1, 0.0)
    )
    source = np.where(rng.random(full) < 0.1, 1.0, 0.0)
    u = np.zeros(full)
    for _ in range(5):
        solver.solve(diag, u / DT_MIN + source, u)
    source *= rng.random(full) < 0.99
    diag += np.where(rng.random(full) < 0.01, 0.03, 0.0)
    rhs, start = u / DT_MIN + source, u.copy()
    return fastest(lambda: solver.solve(diag, rhs, u), u, start), (diag, rhs, u)


def oxygen(shape):
    """Time steady oxygen with saturable uptake, cold and after uptake changed at 1 % of the sites."""
    rng = np.random.default_rng(0)
    vessel = rng.random(shape) < 0.02
    solver = Multigrid(shape, np.array([300.0]), links_with_wells(Links.uniform(shape), vessel, 1.133))
    diag = np.where(vessel, 1e5, 0.0)[..., None]
    uptake = np.where(vessel, 0.0, np.where(rng.random(shape) < 0.5, 900.0, 450.0))[..., None]
    u, km = np.full_like(diag, 40.0), np.array([1.0])

    def solve():
        return solver.solve_saturable(diag, diag * 40.0, uptake, km, u)

    cold = fastest(solve, u, np.full_like(u, 40.0))
    uptake *= np.where(rng.random(uptake.shape) < 0.01, 1.3, 1.0)
    return cold, fastest(solve, u, u.copy())


def main():
    set_threads(threads_used())
    begin = time.perf_counter()
    transient((1, 8, 8), [0.1, 10.0])
    oxygen((1, 8, 8))
    print(f"first use of all kernels {time.perf_counter() - begin:.1f} s (compiled, or read from the cache)")
    plane = (1, 250, 250)
    for name, shape, k_dt in (
        ("250x250, 8 species, k dt 1 to 500", plane, np.geomspace(1, 500, 8)),
        ("250x250, 8 pools, k dt 0.45", plane, np.full(8, 0.45)),
        ("50x50x50, 8 species, k dt 1 to 500", (50, 50, 50), np.geomspace(1, 500, 8)),
        ("1000x1000, 1 species, k dt 50", (1, 1000, 1000), np.array([50.0])),
    ):
        (milliseconds, report), (diag, rhs, u) = transient(shape, k_dt)
        show(name, milliseconds, report, np.prod(shape))
        conserve(diag, rhs, u)
        begin = clock()
        conserve(diag, rhs, u)
        print(f"{'  conserve':52s} {(clock() - begin) * 1e3:8.1f} ms")
    for name, (milliseconds, report) in zip(("cold", "warm"), oxygen(plane), strict=True):
        show(f"250x250, steady oxygen, saturable uptake, {name}", milliseconds, report, np.prod(plane))


if __name__ == "__main__":
    main()
