"""The drawing of the design is that of the imports."""

import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]


@pytest.fixture
def design(monkeypatch):
    """The module that makes the drawing."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    import design

    yield design
    del sys.modules["design"]


def test_the_drawing_in_contributing_is_up_to_date(design):
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert design.with_drawing(page) == page, "write it anew: python docs/design.py"


def test_every_way_of_importing_is_seen(design, tmp_path):
    package = tmp_path / "dcgan"
    (package / "data").mkdir(parents=True)
    (package / "data" / "reader.py").write_text("from dcgan.errors import E\nimport dcgan.images\n")
    (package / "cli.py").write_text("def run():\n    from dcgan import DCGAN, data\n")
    for name in ("errors", "images", "gan"):
        (package / f"{name}.py").write_text("import os\n")
    rooms = design.imports_of_rooms(package)
    assert rooms["data"] == {"errors", "images"}
    assert rooms["cli"] == {"gan", "data"}
    assert rooms["errors"] == set()


def test_an_import_that_a_chain_shows_is_left_out(design):
    rooms = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert design.reduced(rooms) == {"a": {"b"}, "b": {"c"}, "c": set()}
    assert design.ordered(rooms) == ["a", "b", "c"]


def test_a_circle_is_refused(design):
    with pytest.raises(ValueError, match="each other"):
        design.ordered({"a": {"b"}, "b": {"a"}})


def test_the_citation_has_the_version_of_the_package():
    from dcgan import __version__

    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {__version__}\n" in citation
