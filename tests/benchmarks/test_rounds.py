"""Workers answer calls, and jobs take turns."""

import pytest

pytestmark = pytest.mark.once


@pytest.fixture
def worker(benchmark, monkeypatch, tmp_path):
    """A worker with one function, `double`, which also prints."""
    program = "from benchmarks.rounds import serve\n"
    program += "def double(x):\n    print('aside')\n    return 2 * x\nserve([double])\n"
    (tmp_path / "doubling.py").write_text(program)
    with benchmark("rounds").Worker("doubling") as worker:
        yield worker


def test_a_worker_answers_whatever_else_is_printed(worker):
    assert worker("double", x=4) == 8


def test_a_worker_that_fails_says_why(worker):
    with pytest.raises(RuntimeError, match="unsupported operand"):
        worker("double", x=None)


def test_jobs_take_turns(benchmark):
    done = []
    jobs = {name: lambda n=name: done.append(n) for name in "ab"}
    times = benchmark("rounds").alternate(jobs, 2)
    assert done == ["a", "b", "a", "b"] and times == {"a": [None, None], "b": [None, None]}


def test_a_slow_moment_of_the_machine_cancels_in_the_ratio(benchmark):
    assert benchmark("rounds").median_ratio([2.0, 20.0, 2.2], [1.0, 10.0, 1.0]) == 2
