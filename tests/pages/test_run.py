"""The page of a run: what it says of the run, in a real browser and as text."""

import html
import json
import re
import shutil

import numpy as np
import pytest

from dcgan.images import enlarged_grid, grid, save_png
from dcgan.optimizers import make_pair, optimizer_to_plain
from dcgan.pages.run import MAX_GRIDS, MAX_TEXT, _facts, _plots, run_page
from dcgan.storage.run_folder import RunFolder
from dcgan.storage.run_log import RunLog

pytestmark = pytest.mark.once


@pytest.fixture
def run(tmp_path):
    """The folder of a run of 60 grids, with a name and a source that are no safe HTML."""
    path = tmp_path / "Results" / "<b>sea"
    source = tmp_path / "my <i>sea"
    source.mkdir()
    with RunFolder.open(path) as folder:
        options = {"img_size": [8, 8, 3], "depth": 4, "dropout": 0.25}
        folder.write_options(options, {"count": 90, "held_out": 9}, str(source))
        folder.samples_path.mkdir(exist_ok=True)
        for step in range(200, 200 * 61, 200):
            tiles = np.full((4, 8, 8, 3), step // 200, np.uint8)
            save_png(folder.samples_path / f"step_{step:07d}_epoch_0001.png", grid(tiles))
            line = {"step": step, "epoch": 1, "seconds": 60.0, "d_loss": 1.0, "g_loss": 0.7}
            folder.log.write(line | {"d_real": 0.6, "d_fake": 0.4})
        for name in ("real", "samples", "nearest"):
            save_png(path / f"{name}.png", grid(np.zeros((4, 8, 8, 3), np.uint8)))
        for step, kid in ((1000, 3.0), (2000, 1.0), (3000, 2.0)):
            facts = {"measured_kid": kid, "measured_variety": 0.9, "measured_memorized": 0.04}
            facts["best_step"] = min(step, 2000)
            words = {"status": "memorizing", "sentence": "9% are <copies>."}
            folder.log.write({"step": step, **words, **facts})
    return path


def test_the_status_says_what_is_wrong_and_what_to_do(run, in_browser):
    words = in_browser(run_page(run), "return document.querySelector('[role=status]').innerText")
    assert words.startswith("Memorizing: 9% are <copies>.")
    assert "Add images" in words


def test_the_slider_shows_the_grid_of_its_step(run, in_browser):
    script = """
        const shown = () => [...document.querySelectorAll('img.grid')].filter((i) => !i.hidden);
        const before = shown().map((image) => image.dataset.step);
        slider.value = 0; slider.oninput();
        return [before, shown().map((image) => image.dataset.step), step.value, slider.max]
    """
    assert in_browser(run_page(run), script) == [["12,000"], ["200"], "200", str(MAX_GRIDS - 1)]


def test_every_image_and_plot_has_words_and_nothing_is_loaded(run, in_browser):
    script = """
        const images = [...document.querySelectorAll('img')];
        return [images.every((i) => i.alt && i.src.startsWith('data:')),
            [...document.querySelectorAll('svg')].every((s) => s.ariaLabel),
            images.length, document.querySelectorAll('svg').length,
            document.documentElement.scrollWidth <= innerWidth]
    """
    assert in_browser(run_page(run), script) == [True, True, MAX_GRIDS + 2, 4, True]


def test_in_print_a_heading_stays_with_what_follows_it(run, in_browser):
    script = """
        const printed = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules])
            .filter((rule) => rule.media?.mediaText === "print").flatMap((r) => [...r.cssRules]);
        const of = (name, value) => printed.filter((rule) => rule.style[name] === value)
            .map((rule) => rule.selectorText).join(", ").split(", ");
        return [of("breakAfter", "avoid"), of("breakInside", "avoid")]
    """
    together, whole = in_browser(run_page(run), script)
    assert "h2" in together and {"img", "figure", "tr"} <= set(whole)


def test_names_from_outside_are_text_and_quoted_in_commands(run):
    page = run_page(run)
    assert "<b>sea" not in page and "<i>sea" not in page
    commands = [html.unescape(text) for text in re.findall(r"<pre>(.*?)</pre>", page)]
    assert f"dcgan generate '{run}' -n 64" in commands
    source = json.loads((run / "options.json").read_text())["source"]
    assert f"dcgan evaluate '{run}' '{source}'" in commands


def test_options_are_shown_where_they_are_not_the_default(run):
    page = run_page(run)
    assert "dropout" in page and "8 x 8 x 3" in page
    assert ">depth<" not in page


def test_optimizers_are_shown_where_they_are_not_the_default(tmp_path):
    def shown(*chosen):
        pair = make_pair(*chosen)
        options = {
            "optimizer": optimizer_to_plain(pair.generator),
            "discriminator_optimizer": optimizer_to_plain(pair.discriminator),
        }
        return _facts(tmp_path, {"options": options, "data": {}, "source": None})[1:]

    assert shown() == []
    assert shown(1e-4) == [("optimizer", "Adam, learning rate 0.0001, beta_1 0.5")]
    assert shown(None, "sgd") == [("discriminator_optimizer", "SGD, learning rate 0.01")]


def test_a_live_page_reloads_itself_and_a_finished_one_does_not(run):
    live, finished = run_page(run, live=True), run_page(run)
    for words in ("location.reload()", 'http-equiv="refresh"', "while training"):
        assert words in live and words not in finished


def test_the_best_model_is_marked_where_it_was_measured(run):
    marked = _plots([], RunLog(run).records()[-3:])
    assert ["#b35c00" in plot["svg"] for plot in marked] == [True, False]
    again = RunLog(run).records()[-3:]
    for record in again:
        record["best_step"] = 7  # of a measurement that the log has not
    assert "#b35c00" not in _plots([], again)[0]["svg"]


def test_a_page_after_24000_steps_stays_below_5_megabytes(run):
    small = sorted((run / "samples").iterdir())[0]
    for number in range(61, 121):
        shutil.copy(small, run / "samples" / f"step_{200 * number:07d}_epoch_0001.png")
    noise = np.random.default_rng(0).integers(0, 256, (36, 64, 64, 3), dtype=np.uint8)
    save_png(run / "samples" / f"step_{200 * 120:07d}_epoch_0001.png", enlarged_grid(noise))
    log = RunLog(run)
    for record in log.records()[:60] * 3:
        log.write(record)
    page = run_page(run)
    assert page.count('class="grid"') == MAX_GRIDS
    largest = max(map(len, re.findall(r'src="([^"]+)"', page)))
    assert 60_000 < largest <= MAX_TEXT  # the noise, which takes more than any image
    assert len(page) + (MAX_GRIDS + 1) * MAX_TEXT < 5_000_000  # if all others were noise as well


def test_a_grid_is_encoded_once_however_often_the_page_is_written(run, monkeypatch):
    run_page(run)
    monkeypatch.setattr("dcgan.pages.run.data_uri", lambda *_: pytest.fail("encoded again"))
    run_page(run)


def test_a_run_that_has_measured_nothing_has_a_page(tmp_path):
    assert "No step has been logged yet." in run_page(tmp_path)
    RunLog(tmp_path).write({"step": 1, "epoch": 1, "seconds": 1.0, "d_loss": 1.0})
    assert "Step 1, epoch 1" in run_page(tmp_path)
