"""Free memory: what is there, and the refusal of what needs more."""

import pytest

from dcgan.data import memory
from dcgan.errors import ArgumentError

pytestmark = pytest.mark.once


def test_free_memory_is_known_here_and_no_more_than_a_container_allows(monkeypatch, tmp_path):
    system = memory.free_memory()
    if system is None:
        pytest.skip("this system does not say")
    group = limit, used, purposes = [tmp_path / name for name in ("max", "current", "stat")]
    limit.write_text(str(system // 2 + 100))
    used.write_text("1100")
    purposes.write_text("anon 100\nactive_file 300\ninactive_file 700\n")  # 1000 can be dropped
    monkeypatch.setattr(memory, "_GROUPS", (group,))
    assert memory.free_memory() == system // 2
    limit.write_text("max\n")  # no limit
    assert memory.free_memory() > system // 2


def test_what_needs_more_than_is_free_is_refused_with_both_numbers(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 10**9)
    memory.check_memory(10**9, "Training", "Use less.")
    with pytest.raises(ArgumentError, match="Training needs about 2.5 GB .*1.0 GB are free. Use"):
        memory.check_memory(2_500_000_000, "Training", "Use less.")
