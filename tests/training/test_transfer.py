"""Starting from another model: the layers that fit are taken over, and steps count from 0."""

import keras
import numpy as np
import pytest

from dcgan import DCGAN, ArgumentError


@pytest.fixture
def trained(tiny, images):
    """A model of one epoch, saved as trained.dcgan."""
    gan = tiny(save_path="first")
    gan.fit(images, epochs=1, verbose=0)
    gan.save("trained.dcgan")
    return gan


def test_networks_of_the_same_shape_take_every_layer(tiny, trained):
    gan = tiny(seed=1)
    taken, total = gan.start_from("trained.dcgan")
    assert taken == total
    assert (gan.generate(4) == trained.generate(4)).all()
    ours, theirs = gan.discriminator.get_weights(), trained.discriminator.get_weights()
    assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))
    assert (gan.state.step, int(gan.optimizer.generator.iterations)) == (0, 0)


def test_networks_of_a_subclass_take_layers_of_their_like():
    class Own(DCGAN):
        def build_generator(self, plan, *, seed, dtype, name):
            latent = keras.Input((plan.input_size,))
            start = keras.initializers.GlorotUniform(seed)
            x = keras.layers.Dense(576, "tanh", kernel_initializer=start, name="base")(latent)
            return keras.Model(latent, keras.layers.Reshape((16, 12, 3))(x), name=name)

    first, second = (Own(img_size=(16, 12, 3), depth=2, increment=4, seed=s) for s in (0, 1))
    first.save("own.dcgan")
    assert (second.generate(2) != first.generate(2)).any()
    taken, total = second.start_from("own.dcgan")
    assert taken == total
    assert (second.generate(2) == first.generate(2)).all()


def test_another_image_size_takes_all_but_the_dense_layers(tiny, trained):
    gan = tiny(seed=1, img_size=(24, 20, 3))
    taken, total = gan.start_from("trained.dcgan")
    assert total - taken == 4  # base, logit, and the map of the latent with its factors
    assert not np.asarray(gan.generator.get_layer("stage_1_latent_channels").kernel).any()
    kernel = gan.generator.get_layer("stage_1").kernel
    assert (np.asarray(kernel) == np.asarray(trained.generator.get_layer("stage_1").kernel)).all()


def test_another_depth_takes_the_stages_at_the_image(tiny, trained):
    gan = tiny(seed=1, depth=3)
    taken, total = gan.start_from("trained.dcgan")
    assert 0 < taken < total
    for ours, theirs in (("stage_3", "stage_2"), ("stage_2", "stage_1")):
        mine = np.asarray(gan.generator.get_layer(ours).kernel)
        assert (mine == np.asarray(trained.generator.get_layer(theirs).kernel)).all()


def test_a_model_of_which_nothing_fits_is_refused(tiny, trained):
    with pytest.raises(ArgumentError, match="No layer of 'trained.dcgan' fits"):
        tiny(increment=5, kernel_size=(3, 3)).start_from("trained.dcgan")


def test_a_model_of_a_generator_alone_gives_its_generator(tiny, trained):
    trained.save("g.dcgan", generator_only=True)
    gan = tiny(seed=1)
    taken, total = gan.start_from("g.dcgan")
    assert 0 < taken < total
    assert (gan.generate(2) == trained.generate(2)).all()


def test_fit_with_other_images_starts_a_run_of_its_own_with_fresh_optimizers(
    trained, images, eager
):
    gan = DCGAN.load("trained.dcgan")
    gan.augment.share.assign(0.8)
    gan.fit(255 - images[:8], epochs=1, verbose=0)
    assert gan.run_path != trained.run_path
    assert gan.state.step == int(gan.optimizer.generator.iterations) == 2
    assert float(gan.augment.share) < 0.1  # from nothing again
