"""Every example runs on tiny input, and writes into its run folder only."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcgan import DCGAN, ModelFileError
from dcgan.images import save_png

pytestmark = pytest.mark.once

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = {"depth": 2, "increment": 2, "input_size": 4, "batch_size": 5}
TINY = {**SMALL, "img_size": (16, 12, 3)}


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch, eager):
    """A current folder beside the training images; a few steps are quicker than compiling them."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture
def example(monkeypatch):
    """A function that imports an example by its name."""
    monkeypatch.syspath_prepend(EXAMPLES.parent)
    return lambda name: import_module(f"examples.{name}")


@pytest.fixture
def sea(images, tmp_path):
    """A folder of ten tiny images."""
    folder = tmp_path / "source" / "sea"
    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        save_png(folder / f"{number}.png", image)
    return str(folder)


def pixels(path):
    """A written image as an array."""
    with Image.open(path) as image:
        return np.asarray(image)


def written():
    """Files and folders in the current folder."""
    return {path.name for path in Path.cwd().iterdir()}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_is_short_says_how_to_run_it_and_is_tested(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert f"python -m examples.{path.stem}" in text or f"python {path.name}" in text
    assert f'example("{path.stem}")' in Path(__file__).read_text(encoding="utf-8")


def test_train_on_a_folder(example, sea):
    example("train_on_a_folder").main(sea, minutes=0.005, **TINY)
    assert written() == {"Results"}
    run = Path("Results/sea")
    assert pixels(run / "new_3.png").shape == (16, 12, 3)
    assert DCGAN.load(run / "generator.dcgan").state.step > 0
    assert (run / "samples.png").exists()


def test_mnist_by_preset(example, capsys):
    np.savez("mnist.npz", x_train=np.zeros((4, 28, 28), np.uint8), x_test=np.zeros(1))
    example("mnist_by_preset").main("mnist.npz", "mnist-upsample", epochs=1, batch_size=4)
    assert pixels("Results/mnist/digits.png").shape == (4 * 28, 4 * 28)
    assert "d_loss" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["generator.keras", "generator.h5"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_generate_with_keras_alone(example, name, channels):
    module = example("generate_with_keras_alone")
    DCGAN(**{**TINY, "img_size": (16, 12, channels)}).generator.save(name)
    module.main(name, rows=1, columns=2)
    assert pixels("generated.png").shape == (200, 400, 4)
    assert "import dcgan" not in (source := Path(module.__file__).read_text())
    assert "from dcgan" not in source


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_interpolate(example, channels):
    gan = DCGAN(**{**TINY, "img_size": (16, 12, channels)})
    random = np.random.default_rng(0)
    for weight in gan.generator.weights:  # an untrained generator hardly moves
        if weight.name == "kernel":
            weight.assign(random.normal(0, 0.3, weight.shape))
    gan.save("sea.dcgan")
    example("interpolate").main("sea.dcgan", (3, 17), seconds=0.5)
    with Image.open("walk.webp") as animation:
        assert animation.size == (12, 16) and animation.n_frames > 1  # equal frames are one


def test_resume_a_run(example, sea, capsys):
    example("resume_a_run").main(sea, "run", epochs=(1, 2), **TINY)
    assert capsys.readouterr().out.split("\n")[:2] == [
        "stopped after 2 steps",
        "stopped after 4 steps",
    ]


def test_callbacks_and_tensorboard(example, sea):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    history = example("callbacks_and_tensorboard").main(sea, epochs=2, **TINY)
    assert history.epoch == [0, 1]
    assert written() == {"Results"}
    run = Path("Results/callbacks")
    assert list((run / "logs").rglob("events*"))
    assert len((run / "losses.csv").read_text().splitlines()) == 3
    halve = example("callbacks_and_tensorboard").halve_every_50_epochs
    assert [halve(epoch) for epoch in (0, 49, 50, 100)] == [2e-4, 2e-4, 1e-4, 5e-5]


def test_train_on_arrays(example):
    example("train_on_arrays").main(10, epochs=1, side=16, **SMALL)
    assert written() == {"Results"}
    assert np.load("Results/discs/generated.npy").shape == (8, 16, 16, 3)
    discs = example("train_on_arrays").draw_discs(5)
    assert 0 <= discs.min() < discs.max() <= 1


def test_sprites_with_alpha(example):
    module = example("sprites_with_alpha")
    module.main(count=10, side=16, epochs=1, **SMALL)
    assert written() == {"Results"}
    drawn = module.draw_sprite(np.random.default_rng(0), 16)
    assert drawn.shape == (16, 16, 4) and set(np.unique(drawn[..., 3])) == {0, 255}
    assert (drawn[..., 3] == drawn[:, ::-1, 3]).all()
    assert pixels("Results/sprites/new_sprite_7.png").shape == (16, 16, 4)


def test_wasserstein_loss(example, sea):
    module = example("wasserstein_loss")
    gan = module.main(sea, minutes=0.005, **TINY)
    assert written() == {"Results"}
    kernels = [w.numpy() for w in gan.discriminator.trainable_variables if len(w.shape) > 1]
    assert max(abs(kernel).max() for kernel in kernels) <= np.float32(module.CLIP)
    again = module.WassersteinGAN.load("Results/wasserstein/last.dcgan")
    assert again.state.step == gan.state.step > 0
    assert (again.generate(2) == gan.generate(2)).all()
    assert (DCGAN.load("Results/wasserstein/last.dcgan").generate(2) == gan.generate(2)).all()


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_own_networks(example, sea, precision):
    gan_class = example("own_networks").ResidualGAN
    options = {"save_path": "Results/residual", "img_size": (16, 24, 3), "batch_size": 10}
    gan = gan_class(**options, precision=precision)
    gan.fit(sea, epochs=1)
    assert gan.has_own_networks() and not gan.uses_one_stage
    resumed = gan_class(**options)
    resumed.fit(sea, epochs=2)
    assert resumed.state.step == 2 * gan.state.step > 0
    again = gan_class.load("Results/residual/last.dcgan")
    assert (again.generate(2) == resumed.generate(2)).all()
    with pytest.raises(ModelFileError, match="its plan needs"):
        DCGAN.load("Results/residual/last.dcgan")  # whose plan is not that of the networks
