"""Model files: what is expected in one follows from its document alone."""

import keras
import pytest

from dcgan import DCGAN, ArgumentError, ModelFileError
from dcgan.networks.build import build_generator
from dcgan.storage.model_file import read_model_file, write_model_file
from dcgan.training.saving import expected_arrays
from dcgan.training.state import capture


@pytest.mark.parametrize(
    "changes",
    [{}, {"dropout": 0.3}, {"upsampling": "resize", "discriminator_norm": "none"}],
)
def test_the_expected_arrays_are_those_of_the_model(tiny, changes):
    document, arrays = capture(tiny(**changes)._learner())
    expected = expected_arrays(document)
    found = {n: (a.shape, a.dtype.name) for n, a in arrays.items() if "optimizer/" not in n}
    assert {name: (tuple(shape), dtype) for name, (shape, dtype) in expected.items()} == found


def test_a_preset_with_dropout_in_its_generator_saves_and_loads():
    gan = DCGAN.from_preset("sea")
    document, arrays = capture(gan._learner())
    expected = expected_arrays(document)
    assert {name for name in arrays if "optimizer/" not in name} == expected.keys()


def test_a_file_that_leaves_an_option_open_which_now_has_a_default_loads(tiny):
    gan = tiny(upsampling="transposed")
    document, arrays = capture(gan._learner())
    document["options"]["upsampling"] = None
    write_model_file("a.dcgan", document, arrays)
    again = DCGAN.load("a.dcgan")
    assert again.plan == gan.plan and again.plan.upsampling == "transposed"


def test_no_file_says_where_anything_is_written(tiny, tmp_path):
    tiny(save_path=tmp_path / "private" / "run").save("sea.dcgan")
    assert "save_path" not in read_model_file("sea.dcgan").document["options"]
    assert b"private" not in (tmp_path / "sea.dcgan").read_bytes()
    assert DCGAN.load("sea.dcgan").save_path is None


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("training", {"seconds": None}),
        ("training", {"step": -5}),
        ("options", {"depth": 99}),
        ("options", {"surprise": 1}),
        ("plan", {"upsampling": "smooth"}),
        ("optimizers", {"generator": {"class": "Adam", "config": {"learning_rate": "fast"}}}),
        ("optimizers", {"generator": {"class": "Adam", "config": {"beta_1": 7.0}}}),
        ("optimizers", {"generator": {"class": "SGD", "config": {"momentum": -1.0}}}),
    ],
)
def test_settings_of_the_wrong_kind_or_range_are_refused_with_the_file(tiny, part, change):
    class Own(DCGAN):
        def build_generator(self, plan, **options):
            return build_generator(plan, **options)

    document, arrays = capture(tiny()._learner())
    wrong = {**document, part: {**document[part], **change}}
    write_model_file("wrong.dcgan", wrong, arrays)
    for kind in (DCGAN, Own):
        with pytest.raises(ModelFileError, match="wrong.dcgan"):
            kind.load("wrong.dcgan")


def test_a_loaded_generator_builds_no_discriminator_and_says_so(tiny, images):
    gan = tiny()
    gan.save("small.dcgan", generator_only=True)
    loaded = DCGAN.load("small.dcgan")
    assert loaded.discriminator is None and loaded.training_generator is None
    with pytest.raises(ArgumentError, match="generator-only"):
        loaded.fit(images, epochs=1)


class Nested(DCGAN):
    """A GAN whose discriminator is a layer of layers that bear the same names within."""

    def build_discriminator(self, plan, *, seed, dtype):
        image = keras.layers.Input(plan.img_size)
        attention = keras.layers.MultiHeadAttention(1, 2, seed=seed, dtype=dtype, name="attention")
        pixels = keras.layers.Reshape((-1, plan.img_size[2]))(image)
        flat = keras.layers.Flatten()(attention(pixels, pixels))
        return keras.Model(image, keras.layers.Dense(1, name="float32_logit")(flat))


def test_every_weight_of_a_layer_of_layers_is_saved():
    gan = Nested(img_size=(16, 12, 3), depth=1, increment=2, batch_size=4)
    _, arrays = capture(gan._learner())
    saved = [name for name in arrays if name.startswith("discriminator/")]
    assert len(saved) == len(gan.discriminator.weights)
    gan.save("nested.dcgan")
    again = Nested.load("nested.dcgan")
    for one, other in zip(gan.discriminator.weights, again.discriminator.weights, strict=True):
        assert (keras.ops.convert_to_numpy(one) == keras.ops.convert_to_numpy(other)).all()
