"""Feature networks: the same numbers for any images on any machine, or a reason."""

import hashlib

import keras
import numpy as np
import pytest

from dcgan.data.sample_set import draw_seascapes
from dcgan.errors import ArgumentError
from dcgan.images import thumbnails
from dcgan.metrics.distances import kid
from dcgan.metrics.features import FeatureNetwork, features, load_network, scaling

pytestmark = pytest.mark.once


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


@pytest.mark.parametrize("shape", [(3, 28, 28, 1), (2, 64, 64, 3), (2, 50, 71, 4), (1, 4, 300, 3)])
def test_random_features_of_any_size_and_color(shape):
    found = features(noise(shape))
    assert found.shape == (shape[0], 1344) and found.dtype == np.float32
    assert np.isfinite(found).all()


def test_random_features_do_not_change():
    y, x = np.mgrid[:64, :64]
    image = np.stack([4 * x, 4 * y, (x * y) % 256], -1).astype(np.uint8)[None]
    # Stored: other values would make old estimates incomparable in silence. Three backends agreed
    # to 1e-6; float32 sums of up to 576 products may differ a little more on other machines.
    stored = [-0.764706, -0.017647, 0.741095, 1.081981, 1.162682, 0.518892]
    assert features(image)[0, [0, 47, 48, 200, 700, 1343]] == pytest.approx(stored, abs=2e-5)


def test_batch_size_does_not_matter(monkeypatch):
    images = noise((7, 20, 24, 3))
    whole = features(images)
    monkeypatch.setattr("dcgan.metrics.features.BATCH_SIZE", 2)
    # Only the order of float32 sums may differ.
    np.testing.assert_allclose(features(images), whole, atol=1e-5)


def test_flat_images_have_finite_features():
    flat = np.stack([np.full((16, 16, 3), v, np.uint8) for v in (0, 127, 255)])
    assert np.isfinite(features(flat)).all()


def test_gray_is_color_three_times():
    gray = noise((2, 16, 16, 1))
    np.testing.assert_array_equal(features(gray), features(np.repeat(gray, 3, -1)))


def test_hidden_colors_do_not_count():
    images = noise((2, 16, 16, 4))
    images[..., 3] = 0
    other = np.concatenate([255 - images[..., :3], images[..., 3:]], -1)
    np.testing.assert_array_equal(features(images), features(other))


def test_resizing_a_ramp_keeps_it_a_ramp():
    ramp = np.broadcast_to(np.arange(0, 240, 10, dtype=np.uint8)[None, :, None], (24, 24, 1))
    # Averages of four neighbours in a row of steps of 10, away from the border; rounded.
    assert np.abs(np.diff(thumbnails(ramp[None], 6)[0, 3, 1:5, 0].astype(int)) - 40).max() <= 1
    np.testing.assert_array_equal(thumbnails(ramp[None], 24)[0], ramp)


def test_worse_images_score_worse():
    real = draw_seascapes(160, (32, 32, 3), seed=1)
    reference, other = real[:80], real[80:]
    scaled = scaling(features(reference))
    random = np.random.default_rng(0)

    def score(images):
        return kid(scaled(features(reference)), scaled(features(images)))

    def noisy(sigma):
        return np.clip(other + random.normal(0, sigma, other.shape), 0, 255).astype(np.uint8)

    floor, little, much = score(other), score(noisy(8)), score(noisy(40))
    assert floor.low < 0 < floor.high
    assert floor.high < little.value < much.low
    assert score(other[np.arange(80) % 4]).low > floor.high  # four images over and over
    assert score(other[:, ::-1]).low > floor.high  # the sea above the sky


def test_scaling_centers_and_bounds():
    real = np.random.default_rng(0).normal(5, 2, (500, 3))
    real[:, 2] = 1  # never varies
    scaled = scaling(real)(real)
    assert abs(scaled).max() < 10
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-12)
    # A tenth of the root mean square spread in quadrature: 1 / sqrt(1 + 0.01 * 2 / 3).
    np.testing.assert_allclose(scaled[:, :2].std(0), 0.9967, atol=2e-3)


def test_scaling_survives_equal_images():
    assert np.isfinite(scaling(np.ones((4, 3)))(np.zeros((2, 3)))).all()


def test_a_function_is_a_network_under_its_own_name():
    def brightness(images):
        return images.mean((1, 2))

    network = load_network(brightness)
    assert network.name == "brightness" and load_network(network) is network
    assert features(noise((3, 8, 8, 1)), network).shape == (3, 3)


def test_a_keras_file_is_a_network(tmp_path):

    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))
    model.save(tmp_path / "mean.keras")
    images = noise((3, 8, 8, 3))
    network = load_network(tmp_path / "mean.keras")
    digest = hashlib.sha256((tmp_path / "mean.keras").read_bytes()).hexdigest()
    assert network.name == f"mean.keras ({digest[:8]})"  # other files may be called so too
    # float32 sums of 64 numbers up to 255.
    np.testing.assert_allclose(features(images, network), images.mean((1, 2)), rtol=1e-5)


def test_a_damaged_keras_file_is_named(tmp_path):
    path = tmp_path / "bad.keras"
    path.write_bytes(b"not a zip")
    with pytest.raises(ArgumentError, match=r"bad\.keras.*cannot be loaded"):
        load_network(path)


def test_inception_out_of_reach_says_what_to_do(monkeypatch):

    def fail(**_):
        raise ValueError("URL fetch failure")

    monkeypatch.setattr(keras.applications, "InceptionV3", fail)
    with pytest.raises(ArgumentError, match="Connect to the internet once.*network='random'"):
        load_network("inception")


def test_inception_takes_small_images(monkeypatch):

    real = keras.applications.InceptionV3
    monkeypatch.setattr(
        keras.applications, "InceptionV3", lambda **options: real(weights=None, **options)
    )
    assert features(noise((2, 28, 28, 1)), "inception").shape == (2, 2048)


def test_functions_without_a_name_of_their_own_are_told_apart():
    def random(images):
        return images

    networks = [load_network(f) for f in (lambda x: x, lambda x: x, random)]
    assert len({network.name for network in networks} | {"random", "<lambda>"}) == 5


@pytest.mark.parametrize("network", ["inceptoin", "missing.keras", 7, None])
def test_unknown_networks_are_refused(network):
    with pytest.raises(ArgumentError, match="network must be"):
        load_network(network)


def test_features_that_are_not_finite_are_refused():
    network = FeatureNetwork("broken", lambda images: images.mean((1, 2)) * np.nan)
    with pytest.raises(ArgumentError, match="finite.*network='broken'"):
        features(noise((2, 8, 8, 3)), network)


def test_a_network_of_the_wrong_shape_is_refused():
    network = FeatureNetwork("maps", lambda images: images.astype(float))
    with pytest.raises(ArgumentError, match="network='maps'"):
        features(noise((2, 8, 8, 3)), network)


def test_a_keras_model_of_another_size_gets_its_own(tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    model.save(tmp_path / "small.keras")
    assert features(noise((2, 16, 12, 3)), load_network(tmp_path / "small.keras")).shape == (2, 192)


def test_a_keras_model_of_something_else_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((7,)), keras.layers.Dense(2)])
    model.save(tmp_path / "flat.keras")
    with pytest.raises(ArgumentError, match="flat.keras.*cannot take these images"):
        features(noise((2, 16, 12, 3)), load_network(tmp_path / "flat.keras"))
