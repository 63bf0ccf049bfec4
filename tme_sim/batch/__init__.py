"""Experiments: many runs of one scenario, each in a process and a file of its own, merged into one table.

    YAML ─read─▶ Experiment ─plan─▶ Plan, one Planned per run ─local | cluster─▶ a file per run ─merge─▶ results.h5

An existing file of a run means that it is done: that is the whole logic of going on after a crash.
"""
