"""The page of seeds: its facts, and what a user does there, in a real browser."""

import base64
import io
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

from dcgan import ArgumentError
from dcgan.latents import draw_latents
from dcgan.pages.browse import browse_page, images_on_page

pytestmark = pytest.mark.once

TILES = "[...document.querySelectorAll('#grid button')]"
NUMBERS = f"{TILES}.map((button) => button.innerText.trim())"


def flat(latents):
    """Images of one gray level each, which tells the latent."""
    levels = np.clip(128 + 40 * latents[:, 0], 0, 255).astype(np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (len(levels), 8, 6, 3))


def page(seeds=range(5), generate=flat, strengths=(1, 1, 1, 1), **options):
    """The page of a model whose first layer multiplies the latents by these strengths."""
    latents = keras.Input((4,))
    network = keras.Model(latents, keras.layers.Dense(4, use_bias=False, name="base")(latents))
    network.set_weights([np.diag(np.float32(strengths))])
    model = SimpleNamespace(generate=generate, input_size=4, model_hash="abc", generator=network)
    words = {"name": "<b>sea</b>.dcgan", "command": "dcgan generate sea.dcgan"}
    return browse_page(model, seeds, **words, **options)


def level(source):
    with Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))) as image:
        return int(np.asarray(image.convert("L")).mean().round())


def test_each_image_is_number_0_of_the_seed_below_it(in_browser):
    script = f"return {TILES}.map((b) => [b.innerText.trim(), b.querySelector('img').src])"
    shown = in_browser(page([3, 17, 41]), script)
    assert [number for number, _ in shown] == ["3", "17", "41"]
    for number, source in shown:
        expected = flat(draw_latents(1, 4, int(number)))[0, 0, 0, 0]
        assert abs(level(source) - int(expected)) <= 3  # WebP is lossy


def test_truncation_draws_images_together_and_is_in_the_command(in_browser):
    script = f"{TILES}[1].click(); return [{TILES}[1].querySelector('img').src, command.value]"
    source, command = in_browser(page([3, 17], truncation=0.0), script)
    assert abs(level(source) - 128) <= 3
    assert command == "dcgan generate sea.dcgan --truncation 0 --seeds 17"


def test_starred_seeds_make_a_command_with_ranges_in_order(in_browser):
    script = f"for (const i of [9, 4, 3, 5, 0]) {TILES}[i].click(); return [total.textContent, "
    script += f"command.value, {TILES}.filter((b) => b.ariaPressed === 'true').length, "
    script += "copy.disabled]"
    assert in_browser(page(range(100, 110)), script) == [
        "5 starred", "dcgan generate sea.dcgan --seeds 100,103-105,109", 5, False,
    ]  # fmt: skip


def test_a_second_click_takes_a_star_away(in_browser):
    script = f"{TILES}[1].click(); {TILES}[1].click(); return [total.textContent, command.value]"
    assert in_browser(page(), script) == ["none starred", ""]


def test_only_the_starred_are_shown_when_asked_for(in_browser):
    script = f"{TILES}[3].click(); {TILES}[1].click(); only.click(); const shown = {NUMBERS};"
    script += f"only.click(); return [shown, {NUMBERS}.length]"
    assert in_browser(page(), script) == [["1", "3"], 5]


def test_stars_are_kept_for_the_next_visit(in_browser):
    first = page()
    in_browser(first, f"{TILES}[2].click()" + "; return 0")
    assert in_browser(first, "return total.textContent") == "1 starred"


# In place of the browser's, which acts when a frame is drawn: at any time, or never, in a test.
OBSERVER = """<script>
window.IntersectionObserver = class {
  constructor(seen) { window.reachEnd = () => seen([{ isIntersecting: true }], this); }
  observe() {}
  unobserve() {}
};
"""


def test_200_images_come_first_and_more_each_time_the_end_is_reached(in_browser):
    count = f"{TILES}.length"
    script = f"const counts = [{count}]; for (let i = 0; i < 3; i++) {{ reachEnd();"
    script += f"counts.push({count}); }} return counts"
    watched = page(range(450)).replace("<script>", OBSERVER, 1)
    assert in_browser(watched, script) == [200, 400, 450, 450]


def test_arrow_keys_move_from_image_to_image(in_browser):
    keys = "for (const key of %s) document.activeElement.dispatchEvent("
    keys += "new KeyboardEvent('keydown', {key, bubbles: true}));"
    script = f"{TILES}[0].focus();" + keys % "['ArrowRight', 'ArrowRight', 'ArrowLeft']"
    script += f"const tabs = {TILES}.filter((b) => b.tabIndex === 0);"
    script += "return [document.activeElement, ...tabs].map((b) => b.innerText.trim())"
    assert in_browser(page(), script) == ["1", "1"]


def test_a_slider_shows_the_image_that_many_standard_deviations_away(in_browser):
    script = (
        "const row = document.querySelector('.direction'), slider = row.querySelector('input');"
    )
    script += "const seen = []; for (const value of [0, 3, -1.5]) { slider.value = value;"
    script += "slider.dispatchEvent(new Event('input'));"
    script += "seen.push([row.querySelector('img').src, slider.getAttribute('aria-valuetext')]) }"
    script += "return [seen, row.querySelectorAll('.strip img').length, "
    script += "document.getElementById('page-seeds').hidden]"
    # The strongest direction is the one along which the images do change
    made = page([7], lambda latents: flat(latents / 3), strengths=(3, 1, 1, 1))
    seen, in_strip, hidden = in_browser(made, script, "#directions")
    start = 128 + 40 / 3 * draw_latents(1, 4, 7)[0, 0]
    for (source, words), position in zip(seen, (0, 3, -1.5), strict=True):
        assert abs(level(source) - (start + 40 / 3 * position)) <= 4
        assert words == f"{'+' if position > 0 else '−' * (position < 0)}{abs(position)} " + (
            "standard deviations"
        )
    assert in_strip == 7 and hidden


def test_a_moved_slider_has_the_command_that_makes_its_image(in_browser):
    script = """
        const sliders = [...document.querySelectorAll('.direction input')];
        const commands = [moved.value];
        sliders[1].value = -1.5; sliders[1].dispatchEvent(new Event('input'));
        commands.push(moved.value);
        around.value = 1; around.dispatchEvent(new Event('change'));
        commands.push(moved.value);
        document.querySelectorAll('.direction .strip')[0].lastChild.click();
        return [...commands, moved.value]
    """
    assert in_browser(page([7, 9], truncation=0.5), script, "#directions") == [
        "",
        "dcgan generate sea.dcgan --truncation 0.5 --seeds 7 --move 2=-1.5",
        "",
        "dcgan generate sea.dcgan --truncation 0.5 --seeds 9 --move 1=3",
    ]


@pytest.mark.parametrize("channels", [1, 4])
def test_images_of_every_number_of_channels_are_shown(channels, in_browser):
    def generate(latents):
        return np.full((len(latents), 8, 6, channels), 99, np.uint8)

    script = f"const i = {TILES}[0].querySelector('img'); return [i.naturalWidth, i.naturalHeight]"
    assert in_browser(page([1], generate), script) == [6, 8]


def test_names_are_text_and_nothing_outside_the_page_is_loaded(in_browser):
    script = "return [document.querySelector('h1').textContent, "
    script += "performance.getEntriesByType('resource').filter((e) => !e.name.startsWith('data:'))]"
    assert in_browser(page(), script) == ["<b>sea</b>.dcgan", []]


def test_the_number_of_images_is_known_before_they_are_made():
    made = []
    page(range(6), report=made.append)
    assert sum(made) == images_on_page(6) - 4 * 4 * 13  # 4 of 8 directions: latents of length 4


@pytest.mark.parametrize(
    "seeds, options", [([], {}), ([-1], {}), ([0.5], {}), ([1], {"truncation": 2})]
)
def test_wrong_arguments_are_named(seeds, options):
    with pytest.raises(ArgumentError, match="truncation" if options else "seeds"):
        page(seeds, **options)
