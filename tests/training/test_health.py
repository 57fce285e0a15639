"""The status of a training: each problem is named, and a healthy run is learning."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from dcgan.errors import ArgumentError, dataclass_from
from dcgan.training.health import PATIENCE, PERSISTENCE, STATUSES, YOUNG, Health, Measurement

pytestmark = pytest.mark.once
HEALTHY = {"variety": 0.8, "d_real": 0.7, "d_held_out": 0.65, "d_fake": 0.3, "memorized": 0.05}


def statuses(stream, health=None):
    """The status after each measurement; `stream` yields keyword arguments on top of HEALTHY."""
    health = health or Health()
    return [
        health.update(Measurement(**{"step": 500 * (n + 1), **HEALTHY, **changes})).status
        for n, changes in enumerate(stream)
    ]


def falling(count, start=1.0, by=0.8):
    """KIDs of a run that gets better and better."""
    return [start * by**n for n in range(count)]


def test_a_healthy_run_is_learning_all_along():
    random = np.random.default_rng(0)
    stream = [
        {
            "kid": kid + random.normal(0, 0.002),
            "variety": min(0.9, 0.01 + 0.1 * n) + random.normal(0, 0.05),
            "d_real": 0.99 - 0.005 * n,
            "d_held_out": 0.97 - 0.01 * n,
            "d_fake": 0.02 + 0.004 * n,
            "memorized": abs(random.normal(0.05, 0.03)),
            "leaked": abs(random.normal(0.05, 0.03)),
        }
        for n, kid in enumerate(falling(25, by=0.9))
    ]
    assert set(statuses(stream)) == {"learning"}


def test_a_young_run_with_no_variety_yet_has_no_problem():
    stream = [{"variety": v, "kid": 1} for v in (0.01, 0.02, 0.04, 0.08, 0.15, 0.24, 0.4, 0.6)]
    assert set(statuses(stream)) == {"learning"}


def test_collapse_is_named_with_the_number():
    health = Health()
    found = statuses([{"kid": k} for k in falling(6)] + [{"variety": 0.12, "kid": 2}] * 3, health)
    assert found == ["learning"] * 8 + ["collapsing"]
    again = health.update(Measurement(5_000, **{**HEALTHY, "variety": 0.12}))
    assert (
        again.sentence == "the samples have 12% of the real images' variety." and again.is_problem
    )


def test_constant_samples_from_the_start_are_named_after_youth():
    found = statuses([{"variety": 0.0}] * (YOUNG + 1))
    assert found == ["learning"] * (YOUNG - 1) + ["collapsing"] * 2


def test_one_bad_measurement_is_no_problem():
    stream = [{"kid": k} for k in falling(12)]
    stream[7] |= {"variety": 0.0, "memorized": 0.9, "d_real": 1.0, "d_fake": 0.0, "leaked": 1.0}
    assert set(statuses(stream)) == {"learning"}


def test_a_winning_discriminator_is_named_once_the_samples_stop_getting_better():
    sure = {"d_real": 0.999, "d_fake": 0.001}
    assert set(statuses([sure | {"kid": k} for k in falling(8)])) == {"learning"}
    found = statuses([sure | {"kid": 1.0 + 0.1 * n} for n in range(YOUNG + 1)])
    assert found[-1] == "discriminator winning"


def test_copies_are_named():
    found = statuses([{"memorized": 0.34, "kid": k} for k in falling(YOUNG)])
    assert found == ["learning"] * (YOUNG - 1) + ["memorizing"]


def test_a_discriminator_that_overfits_is_named():
    overfit = {"d_real": 0.9, "d_held_out": 0.11, "d_fake": 0.1}
    assert statuses([overfit | {"kid": 1}] * YOUNG)[-1] == "memorizing"
    assert set(statuses([overfit | {"kid": k} for k in falling(8)])) == {"learning"}


def test_many_near_samples_are_no_copies_where_chance_explains_them():
    found = statuses([{"memorized": 0.6, "copying": False, "kid": k} for k in falling(YOUNG)])
    assert set(found) == {"learning"}


def test_leaking_augmentation_is_named():
    assert (
        statuses([{"leaked": 0.6, "kid": k} for k in falling(YOUNG)])[-1] == "leaking augmentation"
    )


def test_a_slow_start_is_no_problem():
    stream = [
        {"variety": 0.05 + 0.01 * n, "memorized": 0.9, "leaked": 0.9, "kid": k}
        for n, k in enumerate(falling(15))
    ]
    assert set(statuses(stream)) == {"learning"}


def test_the_best_is_one_with_variety_if_any_had_it():
    health, found = Health(), []
    for variety, kid in ((0.05, 3.0), (0.2, 2.5), (0.5, 9.0), (0.1, 2.0), (0.8, 8.0), (0.9, 7.9)):
        statuses([{"variety": variety, "kid": kid, "step": 100 * len(found)}], health)
        found.append((health.best_step, health.best_varied))
    assert found == [(0, False), (100, False), (200, True), (200, True), (400, True), (400, True)]


def test_a_run_that_stays_bad_is_stalled():
    found = statuses([{"kid": k} for k in falling(3)] + [{"kid": 0.64}] * PATIENCE)
    assert found == ["learning"] * (2 + PATIENCE) + ["stalled"]


def test_a_run_that_stays_good_is_done():
    found = statuses([{"kid": k} for k in falling(20)] + [{"kid": 0.8**19}] * PATIENCE)
    assert found[-2:] == ["learning", "done"]


def test_a_stalled_run_that_moves_again_is_learning():
    stream = [{"kid": 1.0}] * (PATIENCE + 2) + [{"kid": 0.5}]
    assert statuses(stream)[-2:] == ["stalled", "learning"]


def test_noise_is_not_progress():
    stream = [{"kid": 1.0 - 0.001 * n} for n in range(PATIENCE + 1)]
    assert statuses(stream)[-1] == "stalled"


def test_nothing_measured_is_no_problem():
    health = Health()
    assert {health.update(Measurement(n)).status for n in range(20)} == {"learning"}


def test_the_best_step_is_remembered():
    health = Health()
    statuses([{"kid": k} for k in (1.0, 0.5, 0.7)], health)
    assert health.best_step == 1_000


def test_a_resumed_health_says_what_the_whole_one_says():
    stream = [{"kid": k} for k in falling(5)] + [{"variety": 0.1, "kid": 1}] * 4
    first = Health()
    before = statuses(stream[:7], first)
    second = dataclass_from(Health, json.loads(json.dumps(asdict(first))))
    assert second == first
    assert before + statuses(stream[7:], second) == statuses(stream)


GOOD = asdict(Health(recent=[Measurement(5)]))


@pytest.mark.parametrize(
    "values",
    [
        {},
        None,
        [],
        GOOD | {"count": -1},
        GOOD | {"count": 1.5},
        GOOD | {"count": True},
        GOOD | {"best_kid": float("nan")},
        GOOD | {"best_kid": "0.5"},
        GOOD | {"best_varied": 1},
        GOOD | {"measured_on": "x" * 999},
        GOOD | {"recent": {}},
        GOOD | {"recent": [{"variety": 1.0}]},
        GOOD | {"recent": [{**asdict(Measurement(1)), "step": 2**64}]},
        GOOD | {"recent": GOOD["recent"] * 99},
        GOOD | {"more": 1},
    ],
)
def test_a_foreign_state_is_refused(values):
    assert dataclass_from(Health, GOOD) == Health(recent=[Measurement(5)])
    with pytest.raises(ArgumentError, match="Received"):
        dataclass_from(Health, values)


def test_after_a_rollback_only_the_best_is_remembered():
    health = Health()
    statuses([{"kid": k} for k in falling(6)], health)
    best = health.best_kid
    health.start_anew()
    assert (health.recent, health.count, health.best_kid) == ([], 0, best)


def test_a_problem_needs_more_measurements_than_one_and_fewer_than_a_run_has_early():
    assert 1 < PERSISTENCE < YOUNG
    found = statuses([{"variety": 0.0}] * YOUNG)
    assert found[-1] in STATUSES and found.count("learning") == YOUNG - 1
