"""A training that is killed resumes from a whole checkpoint."""

import pytest

pytestmark = pytest.mark.once


@pytest.mark.parametrize("what", ["training", "saving"])
def test_a_kill_is_survived(benchmark, tmp_path, what):
    survive = benchmark("survive")
    program = survive.SAVE if what == "saving" else survive.train(survive.GROWING)
    survived, _ = survive.survive(program, tmp_path / "run", kills=1)
    assert survived == 1
