"""Evaluation of a model: split as in training, honest about what is not known, silent."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
from keras import ops

from dcgan import DCGAN
from dcgan.data.image_set import open_images, split
from dcgan.data.sample_set import draw_seascapes
from dcgan.errors import ArgumentError
from dcgan.evaluation import best_rows, compare, evaluate
from dcgan.latents import draw_latents
from dcgan.options import Options

SIZE = (16, 12, 3)


@dataclass
class Stub:
    """A model that draws seascapes of its own, or hands out the images that it is given."""

    options: Options = field(default_factory=lambda: Options(img_size=SIZE))
    state: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(data=None))
    images: np.ndarray | None = None

    @property
    def img_size(self):
        return self.options.img_size

    def generate(self, n, seed):
        return draw_seascapes(n, self.img_size, 77 + seed) if self.images is None else self.images


@pytest.fixture(scope="module")
def hundred():
    """A hundred drawn images, of which 20 are held out in training."""
    return draw_seascapes(100, SIZE, seed=1)


def trained(array, held_out=20, **changes):
    """A stub whose state says that it was trained on these images."""
    model = Stub(Options(img_size=array.shape[1:], **changes))
    fingerprint = open_images(array, model.img_size).fingerprint
    data = SimpleNamespace(count=len(array), fingerprint=fingerprint, held_out=held_out)
    model.state.data = data
    return model


def test_images_held_out_in_training_are_the_reference(hundred):
    evaluation = evaluate(trained(hundred), hundred, n=30)
    found = evaluation.memorization
    assert (found.n_samples, found.n_train, found.n_reference) == (30, 80, 20)
    assert found.reference == "held-out" and evaluation.notes == ()


def test_an_evaluation_is_repeatable(hundred):
    once, again = (evaluate(trained(hundred), hundred, n=20, seed=5).to_dict() for _ in range(2))
    assert once == again


def test_copies_of_training_images_are_found(hundred):
    model = trained(hundred)
    names = open_images(hundred, SIZE).names
    model.images = hundred[split(names, model.options.seed)[0][:40]]
    assert evaluate(model, hundred, n=40).memorization.copying


def test_copies_of_other_images_give_no_verdict_on_copying(hundred):
    model = trained(draw_seascapes(100, SIZE, seed=2))
    model.images = hundred[:40]
    evaluation = evaluate(model, hundred, n=40)
    assert evaluation.memorization is None
    assert "copying" not in evaluation.text() and "coverage" in evaluation.text()
    assert evaluation.to_dict()["memorization"] is None
    assert "not trained on these images" in evaluation.notes[0]


def test_nothing_is_held_out_where_it_is_not_known_what_was_trained_on(hundred):
    evaluation = evaluate(Stub(), hundred, n=20)
    assert "does not say which images" in evaluation.notes[0]
    assert evaluation.memorization.n_train == 100
    assert evaluation.memorization.reference == "training"


@pytest.mark.parametrize("held_out", [0, 7], ids=["none", "images of another source"])
def test_nothing_is_held_out_where_training_did_not(hundred, held_out):
    evaluation = evaluate(trained(hundred, held_out), hundred, n=20)
    assert evaluation.memorization.n_train == 100 and evaluation.notes == ()


def test_every_image_is_counted_as_it_is_measured(hundred):
    counts = []
    evaluate(trained(hundred), hundred, n=30, progress=counts.append)
    assert sum(counts) == 30 + 80 + 20


def test_an_evaluation_prints_nothing(hundred, capfd):
    evaluate(trained(hundred), hundred, n=20)
    assert capfd.readouterr() == ("", "")


def test_images_with_alpha_are_measured():
    images = np.random.default_rng(0).integers(0, 256, (90, 16, 12, 4)).astype(np.uint8)
    found = evaluate(trained(images), images, n=20).memorization
    assert found.n_train == 70


def test_the_contact_sheet_shows_generated_images_beside_real_ones(hundred):
    sheet = evaluate(trained(hundred), hundred, n=20).contact_sheet()
    assert sheet.dtype == np.uint8 and sheet.ndim == 3
    assert sheet.shape[1] > 6 * SIZE[1]  # one generated image and five real ones


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"n": 3}, "n="), ({"seed": -1}, "seed="), ({"network": "x"}, "network=")],
)
def test_bad_arguments_are_refused_before_any_work(changes, named):
    with pytest.raises(ArgumentError, match=named):
        evaluate(Stub(), "missing", **changes)
    with pytest.raises(ArgumentError, match=named):
        compare(Stub(), Stub(), "missing", **changes)


def test_a_model_is_no_better_than_itself(hundred):
    comparison = compare(trained(hundred), trained(hundred), hundred, n=20)
    assert comparison.better is None and comparison.notes == ()
    assert comparison.to_dict()["better"] is None


def test_a_model_of_real_images_is_better_than_one_of_noise(hundred):
    one, other = trained(hundred), trained(hundred)
    other.images = np.random.default_rng(0).integers(0, 256, (40, *SIZE)).astype(np.uint8)
    assert compare(one, other, hundred, n=40).better == 0
    assert compare(other, one, hundred, n=40).better == 1


def test_two_models_are_compared_on_what_both_were_trained_on(hundred):
    counts = []
    models = [trained(hundred, seed=seed) for seed in (0, 1)]
    compare(*models, hundred, n=20, progress=counts.append)
    both = sum(counts) - 20 - 20
    assert 60 <= both < 80  # each has 20 of 100 held out, not the same ones


def test_models_of_two_sizes_are_refused(hundred):
    small = Stub(Options(img_size=(12, 12, 3)))
    with pytest.raises(ArgumentError, match="one size"):
        compare(trained(hundred), small, hundred)


@pytest.mark.parametrize(
    ("second", "note"),
    [
        (lambda array: trained(array, resize="pad"), "favors the first"),
        (lambda array: trained(array[::-1].copy()), "second model was not trained on these"),
        (lambda array: Stub(), "second model does not say whether it was"),
    ],
)
def test_an_unfair_comparison_says_so(hundred, second, note):
    comparison = compare(trained(hundred), second(hundred), hundred, n=20)
    assert len(comparison.notes) == 1 and note in comparison.notes[0]


def test_a_dcgan_is_such_a_model(tiny, hundred):
    evaluation = evaluate(tiny(), hundred, n=20)
    assert evaluation.estimates["KID"].n_fake == 20
    assert len(evaluation.notes) == 1


def test_of_each_group_the_latent_with_the_highest_logit_is_chosen(tiny):
    gan, latents = tiny(), draw_latents(12, 8)
    logits = gan.discriminator(gan.generator(latents, training=False), training=False)
    logits = ops.convert_to_numpy(logits)
    chosen = best_rows(gan, latents, 4)
    assert chosen.tolist() == [int(np.argmax(logits[k : k + 4])) + k for k in (0, 4, 8)]
    assert np.array_equal(gan.generate(3, best_of=4), gan.generate(latents=latents[chosen]))


def test_choosing_needs_a_discriminator(tiny):
    tiny().save("small.dcgan", generator_only=True)
    with pytest.raises(ArgumentError, match="a generator-only file lacks"):
        DCGAN.load("small.dcgan").generate(2, best_of=2)
    with pytest.raises(ArgumentError, match=r"\(n \* 2, 8\).*\(3, 8\)"):
        tiny().generate(latents=draw_latents(3, 8), best_of=2)
