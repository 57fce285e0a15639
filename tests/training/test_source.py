"""Sources: what may be trained on, and what is refused."""

import keras
import numpy as np
import pytest

from dcgan import DataError
from dcgan.images import save_png
from dcgan.training.source import open_source


def test_images_that_are_enlarged_are_mentioned(tiny, images, caplog):
    open_source(images, tiny(img_size=(32, 24, 3)).options)
    assert "about 16 x 12 and are enlarged to 32 x 24" in caplog.text
    assert "DCGAN(img_size=(16, 12, 3), depth=1)." in caplog.text


class Stream(keras.utils.PyDataset):
    """A dataset of a user's own batches."""

    def __init__(self, *batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def test_a_users_own_dataset_trains(tiny, images):
    floats, labels = images.astype(np.float32) / 127.5 - 1, np.zeros(4)
    own = Stream((floats[:4], labels), (floats[4:8], labels))
    history = tiny().fit(own, epochs=2, verbose=0)
    assert history.epoch == [0, 1]


@pytest.mark.parametrize(
    "batch, received",
    [
        (np.full((4, 16, 12, 3), 300.0, np.float32), "to 1.353"),
        (np.zeros((4, 12, 16, 3), np.uint8), "12, 16, 3"),
        (np.zeros((4, 7), np.uint8), "4, 7"),
    ],
)
def test_a_dataset_that_would_train_on_garbage_is_refused(tiny, batch, received):
    with pytest.raises(DataError, match=f"in .-1, 1.*Received: .*{received}"):
        tiny().fit(Stream(batch), epochs=1, verbose=0)


def test_a_dataset_that_may_be_in_zero_to_one_is_doubted(tiny, images, caplog):
    tiny().fit(Stream(images[:4].astype(np.float32) / 255), epochs=1, verbose=0)
    assert "no value below 0" in caplog.text


def test_what_can_be_read_only_once_is_refused(tiny, images):
    with pytest.raises(DataError, match="generator can be read only once"):
        tiny(save_path="run").fit(image for image in images)


def test_the_run_folder_is_named_after_the_images(tiny, tmp_path, images):
    (tmp_path / "my sea").mkdir()
    for number, image in enumerate(images):
        save_png(tmp_path / "my sea" / f"{number}.png", image)
    gan = tiny()
    gan.fit(tmp_path / "my sea", epochs=1, verbose=0)
    assert gan.run_path.as_posix() == "Results/my sea"


def test_a_dataset_after_a_folder_takes_neither_its_augmentation_nor_its_facts(tiny, images):
    gan = tiny()
    gan.fit(images, epochs=1, verbose=0)
    assert float(gan.augment.strength) == 1.0 and gan.state.data.count == 10
    gan.fit(Stream(images[:4], images[4:8]), epochs=1, verbose=0)
    assert float(gan.augment.strength) == 0.0 and not gan.augment.active
    assert gan.state.data is None


def test_validation_data_is_held_out_and_all_of_x_is_trained_on(tiny, images):
    gan = tiny()
    gan.fit(images, epochs=1, validation_data=255 - images[:6], verbose=0)
    assert (gan.state.data.count, gan.state.data.held_out) == (10, 0)
    assert gan.state.health.measured_on.endswith(" 6")


def test_a_tf_data_dataset_trains(tiny, images):
    tf = pytest.importorskip("tensorflow")
    batches = tf.data.Dataset.from_tensor_slices(images[:6]).batch(3)
    gan = tiny(batch_size=4)
    history = gan.fit(batches, epochs=2, verbose=0)
    assert history.epoch == [0, 1]
    assert np.isfinite(history.history["d_loss"]).all()
    assert gan.state.images_seen == 2 * 6  # in the dataset's batches, not the model's
    later = tiny(batch_size=4, save_path="later")
    later.fit(batches, initial_epoch=1, epochs=2, verbose=0)
    assert later.state.images_seen == 2 * 6


def test_a_dataset_of_numbers_is_refused(tiny):
    tf = pytest.importorskip("tensorflow")
    with pytest.raises(DataError, match="must give batches"):
        tiny().fit(tf.data.Dataset.range(9), verbose=0)


@pytest.mark.once
def test_floats_from_0_to_255_are_what_image_dataset_from_directory_gives(tiny, images, tmp_path):
    for number, image in enumerate(images):
        (tmp_path / "kind").mkdir(exist_ok=True)
        save_png(tmp_path / "kind" / f"{number}.png", image)
    data = keras.utils.image_dataset_from_directory(
        tmp_path, image_size=(16, 12), batch_size=5, shuffle=False, verbose=False
    )
    seen = next(iter(open_source(data, tiny().options).batches(0)))
    assert np.allclose(seen, images[:5] / 127.5 - 1, atol=1e-6)
    assert len(tiny(save_path="run").fit(data, epochs=2, verbose=0).epoch) == 2


def test_floats_from_0_to_255_of_a_users_own_dataset_are_scaled(tiny, images):
    batches = open_source(Stream(images[:4] * np.float32(1)), tiny().options).batches(0)
    assert np.allclose(batches[0], images[:4] / 127.5 - 1, atol=1e-6)


def test_labels_are_taken_and_not_used(tiny, images, arrays_of):
    plain, labeled = tiny(save_path="a"), tiny(save_path="b")
    plain.fit(images, epochs=1, verbose=0, validation_data=images[:4])
    labels = np.zeros(10)
    labeled.fit(images, labels, epochs=1, verbose=0, validation_data=(images[:4], labels[:4]))
    ours, theirs = arrays_of(plain), arrays_of(labeled)
    assert all((ours[name] == theirs[name]).all() for name in ours)


def test_a_batch_size_in_fit_is_the_models_from_then_on(tiny, images):
    gan = tiny(save_path="run", batch_size=5)
    gan.fit(images, batch_size=4, epochs=1, verbose=0)
    assert (gan.state.step, gan.batch_size, gan.options.batch_size) == (3, 4, 4)


def loader_of(images, **options):
    data = pytest.importorskip("torch.utils.data")
    return data.DataLoader(images, **options)


def test_a_pytorch_data_loader_trains(tiny, images):
    labeled = list(zip(images[:8], range(8), strict=True))
    history = tiny().fit(loader_of(labeled, batch_size=4), epochs=2, verbose=0)
    assert history.epoch == [0, 1]


def test_a_data_loader_of_bare_images_is_told_to_give_tuples(tiny, images):
    with pytest.raises(DataError, match="must give tuples"):
        tiny().fit(loader_of(images, batch_size=5), epochs=1, verbose=0)


def test_a_data_loader_with_channels_first_is_told_how_to_put_them_last(tiny, images):
    first = np.moveaxis(images, -1, 1)
    with pytest.raises(DataError, match=r"permute\(0, 2, 3, 1\)"):
        labeled = list(zip(first, range(10), strict=True))
        tiny().fit(loader_of(labeled, batch_size=5), epochs=1, verbose=0)
