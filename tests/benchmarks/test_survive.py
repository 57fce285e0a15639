"""A training that is killed resumes from a whole checkpoint."""

import pytest

pytestmark = pytest.mark.once


@pytest.mark.parametrize("program", ["TRAIN", "SAVE"])
def test_a_kill_is_survived(benchmark, tmp_path, program):
    survive = benchmark("survive")
    survived, _ = survive.survive(getattr(survive, program), tmp_path / "run", kills=1)
    assert survived == 1
