"""Do the benchmarks count right, and do they run? Their figures are not looked at here."""

import functools
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from dcgan import DCGAN
from dcgan.networks.plan import Plan, Stage
from dcgan.networks.presets import PRESETS

FOLDER = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """A function that imports a script of the folder by its name."""
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module


def tiny_plan(**changes):
    image = Stage((8, 8), 3, (4, 4), (2, 2), norm="none", slope=1.0)
    parts = {
        "img_size": (8, 8, 3),
        "input_size": 5,
        "base": Stage((2, 2), 7, (1, 1), (1, 1)),
        "generator": (Stage((3, 4), 6, (4, 4), (2, 2)), image),
        "discriminator": (Stage((4, 4), 6, (4, 4), (2, 2)), Stage((2, 2), 7, (3, 3), (2, 2))),
    }
    return Plan(**{**parts, **changes})


def test_operations_are_those_counted_by_hand(benchmark):
    flops = benchmark("flops")
    # a transposed convolution uses each tap once per pixel of its small map
    latent, first, second = 2 * 5 * 28, 2 * 16 * 7 * 6 * (2 * 2), 2 * 16 * 6 * 3 * (3 * 4)
    image, deeper, logit = 2 * 16 * 3 * 6 * (4 * 4), 2 * 9 * 6 * 7 * (2 * 2), 2 * 28
    work = flops.count_work(tiny_plan())
    generator, discriminator = latent + first + second, image + deeper + logit
    assert work == flops.Work(generator, latent, discriminator, image)
    # generator: forward, weights, inputs; discriminator: forward 3, weights 2, inputs 3
    step = 3 * generator - latent + 8 * discriminator - 2 * image
    assert flops.step_flops(tiny_plan(), 10, one_stage=False) == 10 * step
    # in one stage without the third forward pass, and without its inputs but the image's
    step = 3 * generator - latent + 6 * discriminator - image
    assert flops.step_flops(tiny_plan(), 10, one_stage=True) == 10 * step


def test_resizing_makes_the_convolution_work_on_the_large_map(benchmark):
    flops = benchmark("flops")
    transposed, resized = tiny_plan(), tiny_plan(upsampling="resize")
    latent = 2 * 5 * 28
    convolutions = flops.count_work(transposed).generator - latent
    assert flops.count_work(resized).generator == latent + 4 * convolutions


def test_the_example_needs_about_0_2_gigaflop_per_image_and_pass(benchmark):
    work = benchmark("flops").count_work(PRESETS["dcgan-64"].plan)
    # three convolutions of 67,108,864 each, and one of 6,291,456 at the image
    assert work.discriminator == 3 * 2**26 + 3 * 2**21 + 2 * 8192
    assert work.generator == 3 * 2**26 + 3 * 2**21 + 2 * 100 * 8192


def test_the_reference_has_the_published_sizes(benchmark):
    pytest.importorskip("torch")
    reference = benchmark("reference")
    networks = reference.build_generator(), reference.build_discriminator()
    assert tuple(map(reference.count_weights, networks)) == (3_576_704, 2_765_568)


@pytest.mark.parametrize("channels_last", [False, True])
def test_the_reference_trains_both_players(benchmark, channels_last):
    torch = pytest.importorskip("torch")
    made = benchmark("reference").Reference(4, channels_last, width=4)
    networks = made.generator, made.discriminator
    before = [[weight.detach().clone() for weight in n.parameters()] for n in networks]
    assert len(made.step()) == 5
    for network, weights in zip(networks, before, strict=True):
        assert not any(map(torch.equal, weights, network.parameters()))


def test_a_worker_answers_fails_in_words_and_ends(benchmark, tmp_path):
    rounds = benchmark("rounds")
    program = "from rounds import serve\ndef double(x):\n    print('aside')\n    return 2 * x\n"
    (tmp_path / "script.py").write_text(program + "serve([double])\n")
    (tmp_path / "rounds.py").write_text((FOLDER / "rounds.py").read_text())
    with rounds.Worker(str(tmp_path / "script.py")) as worker:
        assert worker("double", x=4) == 8
        with pytest.raises(RuntimeError, match="unsupported operand"):
            worker("double", x=None)


def test_jobs_take_turns_and_slow_moments_cancel(benchmark):
    rounds, done = benchmark("rounds"), []
    times = rounds.alternate({"a": lambda: done.append("a"), "b": lambda: done.append("b")}, 2)
    assert done == ["a", "b", "a", "b"] and times == {"a": [None, None], "b": [None, None]}
    assert rounds.median_ratio([2.0, 20.0, 2.2], [1.0, 10.0, 1.0]) == 2


class Here:
    """A worker that is no process of its own: quicker to start."""

    def __init__(self, script):
        self.functions = vars(importlib.import_module(Path(script).stem))

    def __call__(self, function, **arguments):
        return json.loads(json.dumps(self.functions[function](**json.loads(json.dumps(arguments)))))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture
def quick(benchmark, monkeypatch, capsys, tmp_path):
    """A function that runs the whole script in this process, and returns what it prints."""
    run, ours = benchmark("run"), benchmark("ours")
    for module in (run, run.sections, run.cost):
        monkeypatch.setattr(module, "Worker", Here)
    monkeypatch.setattr(run.sections, "_seconds_of", lambda command: 1.0)
    for kind, name in ((ours.SampleGrids, "_write"), (ours.HealthWatch, "measure")):
        monkeypatch.setattr(kind, name, getattr(kind, name))  # put back what is wrapped next
    monkeypatch.setattr(ours.Checkpoints, "save", ours.Checkpoints.save)
    ours.time_periodic_jobs()
    if run.torch_is_installed():  # on a busy machine its threads wait for each other
        torch = benchmark("torch")
        threads = torch.get_num_threads()
        torch.set_num_threads(1)

    def call(*options):
        assert run.main(["--quick", "--plot", str(tmp_path / "cost.png"), *options]) == 0
        assert ours.PERIODIC["checkpoint"]
        return capsys.readouterr().out

    yield call
    if run.torch_is_installed():
        torch.set_num_threads(threads)


def test_a_quick_run_measures_every_part(quick, monkeypatch, tmp_path):
    # a few steps are quicker than compiling them
    monkeypatch.setattr(DCGAN, "compile", functools.partialmethod(DCGAN.compile, run_eagerly=True))
    printed = quick()
    assert "these figures mean nothing" in printed
    for part in (
        "dcgan-64, float32: share of the convolution peak",
        "`fit` over the bare step",
        "default network, 28x28x1",
        "generate(100)",
        "python main.py generate",
        "depth: growth of time",
    ):
        assert part in printed
    assert (tmp_path / "cost.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.backend
def test_compiled_steps_run_bare_and_in_fit_on_every_backend(quick):
    assert "| `fit` over the bare step |" in quick("--gpu", "--only", "fit")


def test_a_training_is_killed_and_goes_on():
    command = [sys.executable, FOLDER / "survive.py", "--kills", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().startswith("1 of 1 kills survived")


def test_the_class_system_begins_with_the_map_of_its_preset(benchmark):
    assert benchmark("class_system").first_side(150) == PRESETS["sea"].plan.base.size[0]
