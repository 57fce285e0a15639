"""What the tests of the benchmarks share."""

import json
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def benchmark(monkeypatch):
    """A function that imports a module of the package `benchmarks` by its name."""
    monkeypatch.syspath_prepend(ROOT)
    return lambda name: import_module(f"benchmarks.{name}")


class Here:
    """A worker that is not a process of its own: quicker to start."""

    def __init__(self, module):
        self.functions = vars(import_module(module))

    def __call__(self, function, **arguments):
        return json.loads(json.dumps(self.functions[function](**json.loads(json.dumps(arguments)))))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture
def speed(benchmark, monkeypatch, capsys, tmp_path):
    """A function that runs `speed --quick` in this process, and returns what it prints."""
    module = benchmark("speed")
    for name in ("speed", "sections", "start", "cost"):
        monkeypatch.setattr(benchmark(name), "Worker", Here)
    for name in ("_seconds_of", "_seconds_to_first_step"):
        monkeypatch.setattr(benchmark("start"), name, lambda *parts: 1.0)
    ours = benchmark("ours")
    run = ours._run
    monkeypatch.setattr(ours, "_run", lambda gan, batch, calls: run(gan, batch, 1))
    threads = None
    if benchmark("settings").torch_is_installed():  # on a busy machine its threads wait
        torch = import_module("torch")
        threads = torch.get_num_threads()
        torch.set_num_threads(1)

    def call(*options):
        assert module.main(["--quick", "--plot", str(tmp_path / "cost.png"), *options]) == 0
        return capsys.readouterr().out

    yield call
    if threads:
        torch.set_num_threads(threads)
