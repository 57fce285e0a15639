"""The benchmark of reading images opens, reads and measures; its numbers are not looked at."""

import pytest

pytestmark = pytest.mark.once


@pytest.fixture
def data(benchmark, monkeypatch):
    """The module, with one round and no training step beside it."""
    module = benchmark("data")
    monkeypatch.setattr(module, "ROUNDS", 1)
    monkeypatch.setattr(benchmark("ours"), "build", lambda *_, **__: None)
    monkeypatch.setattr(benchmark("ours"), "steps", lambda *_: 1.0)
    return module


def test_every_part_prints_its_result_beside_its_target(data, tmp_path, capfd):
    folder = data.make_small(tmp_path / "small", 32)
    data.compare_first_decode(folder)
    data.measure_second_start(folder)
    data.measure_memory(str(folder))
    printed = capfd.readouterr().out
    assert printed.count("(target") == 4
    assert "a batch of 32 flipped images" in printed
