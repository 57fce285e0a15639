"""A page that makes images: those of `generate`, with what a user does there, in a real browser."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dcgan import DCGAN, ArgumentError, RunError
from dcgan.cli import main
from dcgan.export import web
from dcgan.images import premultiply
from dcgan.latents import draw_latents
from dcgan.networks.resolve import make_plan
from dcgan.pages import directions

pytestmark = pytest.mark.once

FACTS = {"img_size": [16, 12, 3], "model": "abc", "license": None, "latents": "a rule"}
MAX_LINES = 250  # of the JavaScript that makes images
MAX_EXTRA = 60_000  # bytes of a page besides its weights


@pytest.fixture(autouse=True)
def few_latents(monkeypatch):
    """Directions that are found fast."""
    monkeypatch.setattr(directions, "LATENTS", 200)


@pytest.fixture
def lively(tiny):
    """A function that makes a tiny model whose images and norms are not those of a fresh one."""

    def make(**options):
        gan = DCGAN(**options) if "network_plan" in options else tiny(**options)
        random = np.random.default_rng(1)
        for variable in gan.generator.variables:
            name, shape = variable.path.rpartition("/")[2], variable.shape
            if name == "moving_variance":
                variable.assign(random.uniform(0.3, 2, shape))
            elif name == "kernel" and "_scale/" not in variable.path:
                variable.assign(random.normal(0, 0.7 / np.sqrt(shape[-1]), shape))
            else:
                around_one = name == "gamma" or variable.path.endswith("_scale/bias")
                variable.assign(random.normal(around_one, 0.2, shape))
        return gan

    return make


def page_of(gan):
    """The file `page.html` that makes the images of a model."""
    Path("page.html").write_bytes(web.web_page(gan.generator, "sea", FACTS))
    return Path("page.html").absolute()


def planned(**changes):
    """The options of a network plan of 16x12 images with something changed."""
    sizes = {"img_size": (16, 12, 3), "depth": 2, "increment": 4, "input_size": 8}
    plan = make_plan(**sizes, kernel_size=(4, 4), stride=(2, 2), dropout=0)
    base = replace(plan.base, **changes.pop("base", {}))
    return {"network_plan": replace(plan, base=base, **changes)}


KINDS = {
    "transposed": {"upsampling": "transposed"},
    "antialiased": {"depth": 3},
    "resize": {"upsampling": "resize"},
    "gray": {"img_size": (16, 12, 1)},
    "alpha": {"img_size": (16, 12, 4)},
    "odd": {"img_size": (19, 23, 3), "depth": 3, "upsampling": "transposed"},
    "odd, blurred": {"img_size": (19, 23, 3), "depth": 3},
    "odd, resize": {"img_size": (19, 23, 3), "upsampling": "resize", "kernel_size": (5, 3)},
    "stride of one axis": {"img_size": (16, 12, 3), "stride": (1, 3), "kernel_size": (3, 5)},
    "stride above the kernel": {"img_size": (27, 27, 3), "stride": (3, 3), "kernel_size": (2, 2)},
    "units": planned(base={"norm": "units", "slope": 0.2}),
    "activated first": planned(activate_first=True, base={"slope": 0.3}),
    "no norm, but a bias": planned(base={"norm": "none", "bias": True}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_makes_the_images_of_generate(kind, lively, browser):
    gan = lively(**KINDS[kind])
    browser.open(page_of(gan))
    latents = [draw_latents(1, gan.input_size, seed)[0] for seed in (0, 7)]
    for latent, seed in zip(latents, (0, 7), strict=True):
        made = browser.run(f"pixelsOf(Float32Array.from({latent.tolist()})).then(Array.from)")
        height, width, channels = gan.img_size
        made = np.uint8(made).reshape(1, height, width, 4)
        expected = gan.generate(1, seed=seed)
        if channels == 4:  # colors as they are seen: almost transparent ones are not
            made, expected = premultiply(made), premultiply(expected)
        difference = abs(made[..., :channels].astype(int) - expected)
        assert difference.max() <= 2 and expected.std() > 2  # an image to compare


def test_seeds_give_the_latents_of_python_exactly(lively, browser):
    gan = lively(input_size=11)
    browser.open(page_of(gan))
    for seed in (0, 1, 7, 2**31 - 1):
        for size in (1, 4, 11, 100):
            drawn = browser.run(f"Array.from(drawLatent({seed}, {size}))")
            assert np.array_equal(np.float32(drawn), draw_latents(1, size, seed)[0])


def test_weights_are_kept_to_16_bits():
    random = np.random.default_rng(0)
    array = np.concatenate([random.normal(0, 3, 5000), np.arange(-70, 70) * 2.0**-24, [9, 0]])
    text, scale = web.as_characters(array)
    read = np.frombuffer(text.encode("utf-16-le"), "<f2").astype(float) * scale
    np.testing.assert_allclose(read, array, rtol=2**-10, atol=2**-20)
    assert not set(text) & set("\0\r<") and not re.search("[\ud800-\udfff]", text)


def click(name):
    return f"find('{name}').click()"


SHOWN = "image.toDataURL()"
SETTLED = "new Promise((done) => { const look = () => busy || waiting.length ? "
SETTLED += "setTimeout(look, 5) : done(0); look(); })"


def test_a_user_sees_the_seed_asked_for_and_new_ones(lively, browser):
    browser.open(page_of(lively()))
    browser.run(SETTLED)
    first = browser.run(SHOWN)
    browser.run("seed.value = 7; seed.dispatchEvent(new Event('change'))")
    browser.run(SETTLED)
    assert browser.run(SHOWN) != first
    browser.run("seed.value = -3; seed.dispatchEvent(new Event('change'))")
    browser.run(SETTLED)
    assert browser.run(f"[seed.value, {SHOWN}]") == ["0", first]
    labels = "[...others.children].map((button) => button.ariaLabel)"
    before = browser.run(labels)
    assert len(set(before)) == 12
    browser.run(click("new"))
    browser.run(SETTLED)
    assert not set(before) & set(browser.run(labels)) and browser.run(SHOWN) != first
    browser.run("others.children[3].click()")
    browser.run(SETTLED)
    assert browser.run("['Image of seed ' + seed.value, others.children[3].ariaLabel]") == (
        [browser.run(labels)[3]] * 2
    )
    assert browser.run(f"{SHOWN} === others.children[3].firstChild.toDataURL()")


def test_a_slider_moves_the_image_and_the_seed_brings_it_back(lively, browser):
    browser.open(page_of(lively()))
    browser.run(SETTLED)
    first = browser.run(SHOWN)
    browser.run("sliders[1].value = 2.5; sliders[1].dispatchEvent(new Event('input'))")
    browser.run(SETTLED)
    assert browser.run("sliders[1].previousElementSibling.value") == "+2.5"
    assert browser.run(SHOWN) != first
    browser.run(click("reset"))
    browser.run(SETTLED)
    assert browser.run(SHOWN) == first


def test_a_slider_has_a_name_and_the_image_stays_in_sight_beside_it(lively, browser):
    browser.open(page_of(lively()))
    browser.run(SETTLED)
    named = "sliders.map((slider) => slider.labels[0].textContent.match(/Direction \\d/)[0])"
    assert browser.run(named) == [f"Direction {number}" for number in range(1, 9)]
    browser.run("sliders[7].scrollIntoView()")
    browser.run("new Promise(requestAnimationFrame)")
    assert browser.run("scrollY > 0 && image.getBoundingClientRect().top >= 0")


def test_a_slider_goes_where_the_direction_does(lively, browser):
    gan = lively()
    browser.open(page_of(gan))
    browser.run("sliders[0].value = 3")
    step = directions.find_directions(directions.first_layer(gan.generator), 8, 8).steps[0]
    moved = np.float32(browser.run("Array.from(latentNow())"))
    np.testing.assert_allclose(moved, draw_latents(1, 8, 0)[0] + 3 * step, atol=0.01)  # 16 bits


def test_it_walks_until_told_to_stop(lively, browser):
    browser.open(page_of(lively()))
    browser.run(SETTLED)
    wait = "new Promise((done) => setTimeout(done, 400))"
    shown = [browser.run(SHOWN), browser.run(click("walk"))]
    shown = [browser.run(f"{wait}.then(() => {SHOWN})") for _ in range(2)]
    assert browser.run("find('walk').ariaPressed") == "true" and shown[0] != shown[1]
    browser.run(click("walk"))
    shown = [browser.run(f"{wait}.then(() => {SHOWN})") for _ in range(2)]
    assert browser.run("find('walk').ariaPressed") == "false" and shown[0] == shown[1]


def test_an_image_is_saved_under_its_seed(lively, browser):
    browser.open(page_of(lively()))
    browser.run(SETTLED)
    caught = "new Promise((done) => { HTMLAnchorElement.prototype.click = function () {"
    caught += f"done([this.download, this.protocol]) }}; {click('save')} }})"
    assert browser.run(caught) == ["sea-0.png", "blob:"]
    browser.run("sliders[1].value = 2.5; sliders[1].dispatchEvent(new Event('input'))")
    assert browser.run(caught) == ["sea-0-moved.png", "blob:"]


def test_where_there_is_no_worker_the_page_works_itself(lively, browser):
    path = page_of(lively())
    browser.open(path)
    browser.run(SETTLED)
    by_worker = browser.run(SHOWN)
    text = (
        path.read_bytes()
        .decode("utf-16")
        .replace("<script ", "<script>Worker = null</script><script ", 1)
    )
    path.write_bytes(text.encode("utf-16"))
    browser.open(path)
    browser.run(SETTLED)
    assert browser.run(SHOWN) == by_worker


def test_a_page_is_its_weights_and_little_more(lively):
    gan = lively()
    text = page_of(gan).read_bytes().decode("utf-16")
    assert page_of(gan).stat().st_size - 2 * gan.generator.count_params() <= MAX_EXTRA
    assert not re.search(r"https?:|src=|@import|url\(", text)
    engine = re.search(r'<script id="engine">\n(.*?)</script>', text, re.S)[1]
    assert len(engine.splitlines()) <= MAX_LINES


def test_the_verb_writes_a_page_that_a_browser_has_verified(lively, browser, capsys):
    gan = lively()
    gan.save("a.dcgan")
    assert main(["export", "a.dcgan", "--to", "web", "--out", "new/Sea & <sky>.html"]) == 0
    assert "differ by at most" in capsys.readouterr().out
    browser.open(Path("new/Sea & <sky>.html").absolute())
    assert browser.run("document.querySelector('h1').textContent") == "Sea & <sky>"
    facts = browser.run("model.facts")
    assert facts["model"] == gan.model_hash and facts["img_size"] == [16, 12, 3]
    assert [path.name for path in Path("new").iterdir()] == ["Sea & <sky>.html"]


def test_a_page_that_gives_other_images_is_not_written(lively, browser, monkeypatch):
    monkeypatch.setattr(web, "KEPT", {0x3C00: 0x4000})  # a weight of 1 becomes 2
    with pytest.raises(RunError, match="web export gives other images"):
        lively().export("a.html")
    assert not Path("a.html").exists()


def test_without_a_browser_a_sentence_says_so(lively, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ArgumentError, match="needs Chrome, Chromium or Edge"):
        lively().export("a.html")


@pytest.mark.parametrize("kind", ["Softmax", "Add", "Multiply"])
def test_a_layer_that_the_page_does_not_know_is_named(kind):
    import keras

    latent = keras.Input((4,), name="latent")
    x = keras.layers.Dense(4, activation="tanh")(latent)
    layer = getattr(keras.layers, kind)(name="odd")
    image = layer(x) if kind == "Softmax" else layer([x, latent])
    with pytest.raises(ArgumentError, match=f"'odd' of kind {kind}"):
        web.web_page(keras.Model(latent, image), "a", FACTS)
