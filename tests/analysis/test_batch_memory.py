"""Memory stays flat with the size of a batch; benchmarks/bench_batch_memory.py does the same with 10 GB."""

from benchmarks.bench_batch_memory import make_batch, summarise_apart


def test_summary_of_a_batch_takes_no_more_memory_for_thirty_times_the_data(tmp_path):
    small_gb, large_gb = make_batch(tmp_path / "small", 2, 8.0), make_batch(tmp_path / "large", 60, 8.0)
    assert large_gb - small_gb > 0.4
    runs, _, small_mb, _ = summarise_apart(tmp_path / "small")
    assert runs == 2
    runs, _, large_mb, _ = summarise_apart(tmp_path / "large")
    assert runs == 60
    assert large_mb - small_mb < 40.0
    assert large_mb < 500.0
