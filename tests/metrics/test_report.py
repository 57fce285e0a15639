"""Reports: what was measured, beside its floor, and the better of two models."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dcgan.data.sample_set import draw_seascapes
from dcgan.metrics.distances import fid
from dcgan.metrics.report import NAMES, compare, evaluate

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def drawn():
    """Seascapes: 100 to train on, 40 held out, 100 new ones; uint8 (n, 16, 16, 3)."""
    images = draw_seascapes(240, (16, 16, 3), seed=3)
    return images[:100], images[100:140], images[140:]


def spoilt(images, sigma, seed=0):
    noise = np.random.default_rng(seed).normal(0, sigma, images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


def test_new_images_are_at_the_floor(drawn):
    train, held_out, new = drawn
    evaluation = evaluate(new, train, held_out)
    estimates, floor = evaluation.estimates, evaluation.floor
    assert estimates["KID"].low < 0 < estimates["KID"].high
    assert estimates["KID"].low < floor["KID"].high and floor["KID"].low < estimates["KID"].high
    assert estimates["coverage"].value > 0.85
    assert not evaluation.memorization.copying


def test_spoilt_images_are_above_the_floor(drawn):
    train, held_out, new = drawn
    evaluation = evaluate(spoilt(new, 25), train, held_out)
    assert evaluation.estimates["KID"].low > evaluation.floor["KID"].high


def test_every_estimate_carries_counts_and_the_network(drawn):
    train, held_out, new = drawn

    def brightness(images):
        return images.mean((1, 2))

    evaluation = evaluate(new[:30], train, held_out, brightness)
    for name in NAMES:
        assert evaluation.estimates[name].network == "brightness"
    assert evaluation.estimates["KID"].n_real == 100 and evaluation.estimates["KID"].n_fake == 30
    assert evaluation.estimates["coverage"].n_real == 30
    assert evaluation.floor["coverage"].n_real == 40


def test_the_text_holds_all_estimates_and_the_verdict(drawn):
    train, held_out, new = drawn
    text = evaluate(new, train, held_out).text()
    assert all(name in text for name in NAMES)
    assert text.count("FID needs 2,048 images of each kind; there are 100 and 100. Use KID.") == 1
    assert "withheld" not in text
    assert "no sign of copying" in text and "random" in text


def test_it_ends_in_a_sentence_for_anybody(drawn):
    train, held_out, new = drawn
    good, bad = evaluate(new, train, held_out), evaluate(spoilt(new, 25), train, held_out)
    copied = evaluate(train[:60], train, held_out).text().splitlines()[-1]
    assert good.text().splitlines()[-1] == good.in_short()
    assert good.in_short().startswith("In short: the generated images cannot be told from real")
    assert "no sign of copying" in good.in_short()
    assert bad.in_short().startswith("In short: the generated images differ from real ones; ")
    assert copied.endswith("many are copies.")
    assert "cop" not in replace(good, of_training=False).in_short()


def test_one_image_over_and_over_is_called_that_and_no_copying(drawn):
    train, held_out, _ = drawn
    blurred = train.mean(0, keepdims=True).repeat(60, 0)
    evaluation = evaluate(spoilt(blurred, 3), train, held_out)
    assert evaluation.memorization is None and evaluation.to_dict()["memorization"] is None
    assert evaluation.in_short().endswith("they are nearly all alike (0% of the variance).")
    few = evaluate(train[:5].repeat(12, 0), train, held_out)  # that many are copies is told
    assert few.memorization.copying and "alike" not in few.in_short()


def test_fid_is_asked_for_where_more_samples_would_give_it():
    few, many = np.zeros((30, 4), np.float32), np.zeros((2_048, 4), np.float32)
    assert fid(many, few).reason.endswith("Ask for n=2048")
    assert fid(few, many).reason.endswith("Use KID")


def test_the_report_becomes_json(drawn):
    train, _, new = drawn
    plain = json.loads(json.dumps(evaluate(new, train).to_dict()))
    assert set(plain["estimates"]) == set(NAMES)
    assert plain["floor"]["KID"]["value"] is None
    assert "no images are held out" in plain["floor"]["KID"]["reason"]


def test_the_cleaner_of_two_is_better(drawn):
    train, _, new = drawn
    clean, dirty = spoilt(new, 5), spoilt(new, 25)
    verdict = compare(clean, dirty, train)
    assert verdict.better == 0 and verdict.difference.high < 0
    assert verdict.text(("first", "second")).startswith("first is better: KID difference -")
    assert compare(dirty, clean, train).better == 1


def test_two_of_a_kind_show_no_difference(drawn):
    train, _, new = drawn
    verdict = compare(new[:50], new[50:], train)
    assert verdict.better is None
    assert verdict.text().startswith("no detectable difference")
    assert json.loads(json.dumps(verdict.to_dict()))["better"] is None
