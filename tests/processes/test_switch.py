import pickle

from made_matter import made_layout, made_matter

from tme_sim.processes.switch import Switch


def states(switch, minutes, tissue=None):
    tissue = tissue or made_matter(made_layout(), (1, 1, 1))
    out = []
    for minute in minutes:
        tissue.clock.step = round(minute / tissue.clock.dt_min)
        out.append(switch.is_on(tissue))
    return out


def is_at(*minutes):
    return lambda tissue: tissue.clock.minutes in minutes


def test_on_from_its_start_until_just_before_its_end():
    assert states(Switch("x", 60.0, 120.0), (54, 60, 114, 120)) == [False, True, True, False]


def test_condition_starts_once_and_stays():
    assert states(Switch("x", when=is_at(60.0)), (0, 54, 60, 66, 600)) == [False, False, True, True, True]


def test_condition_is_not_looked_at_before_the_start():
    asked = []
    switch = Switch("x", 60.0, when=lambda t: bool(asked.append(t.clock.minutes)) or True)
    assert states(switch, (54, 60, 66)) == [False, True, True]
    assert asked == [60.0]


def test_stop_when_ends_it_and_when_starts_it_again():
    switch = Switch("x", when=is_at(12.0, 36.0), stop_when=is_at(24.0))
    assert states(switch, range(0, 54, 6)) == [False, False, True, True, False, False, True, True, True]


def test_memory_survives_pickling():
    switch = Switch("x", when=is_at(12.0))
    tissue = made_matter(made_layout(), (1, 1, 1))
    states(switch, (6, 12), tissue)
    copy = pickle.loads(pickle.dumps(tissue))
    assert states(switch, (18,), copy) == [True]
    assert switch.runs(copy) == [(12.0, float("inf"))]
