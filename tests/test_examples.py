"""Do the examples run, each on tiny input, and leave what they promise?"""

import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcgan import DCGAN
from dcgan.images import save_png

EXAMPLES = Path(__file__).parent.parent / "examples"
SMALL = {"depth": 2, "increment": 2, "input_size": 4, "batch_size": 5}
TINY = {**SMALL, "img_size": (16, 12, 3)}


@pytest.fixture(autouse=True)
def uncompiled(monkeypatch):
    """A few steps are quicker than compiling them."""
    monkeypatch.setattr(DCGAN, "compile", functools.partialmethod(DCGAN.compile, run_eagerly=True))


@pytest.fixture
def sea(images):
    """A folder of ten tiny images."""
    Path("sea").mkdir()
    for number, image in enumerate(images):
        save_png(f"sea/{number}.png", image)
    return "sea"


def pixels(path):
    """A written image as an array."""
    with Image.open(path) as image:
        return np.asarray(image)


def example(name):
    """The module of an example, which is a script and in no package."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_is_short_says_how_to_run_it_and_is_tested(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert f"python -m examples.{path.stem}" in text or f"python {path.name}" in text
    assert f'example("{path.stem}")' in Path(__file__).read_text(encoding="utf-8")


def test_train_on_a_folder(sea):
    example("train_on_a_folder").main(sea, minutes=0.005, **TINY)
    assert pixels("new_3.png").shape == (16, 12, 3)
    assert DCGAN.load("trained.dcgan").record["step"] > 0
    assert Path("Results/sea/samples.png").exists()


def test_mnist_by_preset(capsys):
    np.savez("mnist.npz", x_train=np.zeros((4, 28, 28), np.uint8), x_test=np.zeros(1))
    example("mnist_by_preset").main("mnist.npz", "mnist-upsample", epochs=1, batch_size=4)
    assert pixels("digits.png").shape == (4 * 28, 4 * 28)
    assert "d_loss" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["generator.keras", "generator.h5"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_generate_with_keras_alone(name, channels):
    module = example("generate_with_keras_alone")
    DCGAN(**{**TINY, "img_size": (16, 12, channels)}).generator.save(name)
    module.main(name, rows=1, columns=2)
    assert pixels("generated.png").shape == (200, 400, 4)
    assert "import dcgan" not in (source := Path(module.__file__).read_text())
    assert "from dcgan" not in source


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_interpolate(channels):
    gan = DCGAN(**{**TINY, "img_size": (16, 12, channels)})
    gan.save("sea.dcgan")
    module = example("interpolate")
    module.main("sea.dcgan", (3, 17), frames=5)
    with Image.open("walk.gif") as film:
        assert film.size == (12, 16)
        assert film.n_frames > 2  # equal ones become one: an untrained generator moves little


def test_interpolation_starts_at_a_key_and_stays_on_the_arc():
    first, second = np.eye(2) * 3
    way = example("interpolate").between(first, second, np.array([0, 0.5]))
    assert np.allclose(way, [first, np.full(2, 3 / np.sqrt(2))])


def test_continue_a_run(sea, capsys):
    example("continue_a_run").main(sea, "run", epochs=(1, 3), **TINY)
    assert capsys.readouterr().out.split("\n")[:2] == [
        "stopped after 2 steps",
        "stopped after 6 steps",
    ]


def test_callbacks_and_tensorboard(sea):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    history = example("callbacks_and_tensorboard").main(sea, epochs=2, **TINY)
    assert history.epoch == [0, 1]
    assert list(Path("logs").rglob("events*"))
    assert len(Path("losses.csv").read_text().splitlines()) == 3
    halve = example("callbacks_and_tensorboard").halve_every_50_epochs
    assert [halve(epoch) for epoch in (0, 49, 50, 100)] == [2e-4, 2e-4, 1e-4, 5e-5]


def test_train_on_arrays():
    example("train_on_arrays").main(10, epochs=1, side=16, **SMALL)
    assert np.load("discs.npy").shape == (8, 16, 16, 3)
    discs = example("train_on_arrays").draw_discs(5)
    assert 0 <= discs.min() < discs.max() <= 1


def test_sprites_with_alpha():
    example("sprites_with_alpha").main(count=10, side=16, epochs=1, **SMALL)
    drawn = pixels("sprites/0000.png")
    assert drawn.shape == (16, 16, 4) and set(np.unique(drawn[..., 3])) == {0, 255}
    assert (drawn[..., 3] == drawn[:, ::-1, 3]).all()
    assert pixels("new_sprite_7.png").shape == (16, 16, 4)
