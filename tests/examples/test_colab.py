"""The notebook runs from top to bottom, on tiny settings, and holds no outputs."""

from pathlib import Path

import pytest

from dcgan.data.sample_set import draw_seascapes
from dcgan.images import save_png

pytestmark = pytest.mark.once

NOTEBOOK = Path(__file__).parents[2] / "examples" / "colab.ipynb"
TINY = """
SIZE = (16, 12, 3)
MINUTES = 0.001
OPTIONS = {"depth": 2, "increment": 2, "input_size": 4, "batch_size": 5}
"""


@pytest.fixture
def notebook():
    """The notebook as nbformat reads it."""
    nbformat = pytest.importorskip("nbformat", reason="pip install dcgan[notebook]")
    return nbformat.read(NOTEBOOK, as_version=4)


def test_outputs_are_stripped(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


@pytest.mark.parametrize("own_images", [False, True], ids=["drawn", "uploaded"])
def test_it_runs_and_writes_into_its_run_folder(notebook, tmp_path, own_images, monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="pip install dcgan[notebook]")
    pytest.importorskip("ipykernel", reason="pip install dcgan[notebook]")
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    work = tmp_path / "work"
    work.mkdir()
    settings = TINY
    if own_images:
        import shutil

        (tmp_path / "sea").mkdir()
        for number, image in enumerate(draw_seascapes(5, (16, 12, 3))):
            save_png(tmp_path / "sea" / f"{number}.png", image)
        shutil.make_archive(str(work / "images"), "zip", tmp_path / "sea")
        settings += 'IMAGES = "images.zip"\n'
    (parameters,) = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    parameters.source += settings
    nbclient.NotebookClient(
        notebook, timeout=None, kernel_name="python3", resources={"metadata": {"path": str(work)}}
    ).execute()
    written = {path.name for path in work.iterdir()}
    assert written == ({"Results", "images", "images.zip"} if own_images else {"Results"})
    run = work / "Results" / "colab"
    for name in ("samples.png", "walk.webp", "generator.dcgan", "download.zip"):
        assert (run / name).stat().st_size > 0
