"""Training in a notebook: one area that refreshes, and pictures of models in place of addresses."""

import html
import re

import pytest

from dcgan.training.callbacks.notebook import area, in_notebook

TRAIN = """
import numpy as np
from dcgan import DCGAN
images = np.random.default_rng(0).integers(0, 256, (8, 16, 12, 3), dtype=np.uint8)
gan = DCGAN("run", img_size=(16, 12, 3), depth=2, increment=4, input_size=8, batch_size=4)
gan.fit(images, epochs=4);
"""


def test_outside_of_a_notebook_nothing_changes():
    assert not in_notebook()


def test_the_area_has_a_bar_and_escaped_words():
    shown = area(None, "a < b", 0.25)
    assert 'value="0.2500"' in shown and "a &lt; b" in shown
    assert "value" not in area("data:x", "", None)


@pytest.mark.once
def test_fit_owns_one_area_and_a_model_shows_samples(tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="pip install dcgan[notebook]")
    nbclient = pytest.importorskip("nbclient", reason="pip install dcgan[notebook]")
    cells = [nbformat.v4.new_code_cell(code) for code in (TRAIN, "gan", "gan.show(4, seed=7)")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=None, resources={"metadata": {"path": "."}}).execute()
    train, model, shown = (cell.outputs for cell in notebook.cells)
    areas = [out for out in train if out.output_type == "display_data"]
    assert len(areas) == 1
    page = areas[0].data["text/html"]
    assert 'value="1.0000"' in page and "step 8, epoch 4" in page
    assert not [out for out in train if out.get("name") == "stderr"]
    words = html.unescape(re.sub("<.*?>", " ", model[0].data["text/html"]))
    assert "16 x 12 x 3" in words and "8 training steps" in words
    assert "image/png" in shown[0].data
