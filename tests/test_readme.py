"""The README and the manual match the program: snippets run, links and commands are valid."""

import functools
import re
import shlex
from pathlib import Path

import pytest

from dcgan import DCGAN
from dcgan.data import decode
from dcgan.images import save_png
from dcgan.options import markdown_table

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("[!.]*/**/*.md")])
SMALL = {"depth": 2, "increment": 2, "input_size": 4, "batch_size": 5}


def blocks(language):
    """Code blocks of the README in a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.S)


def setups():
    """The README's two commands."""
    return [block for block in blocks("sh") if block.startswith("python3 -m venv")]


def test_the_python_snippet_runs(monkeypatch, images):
    """On ten tiny images and in one epoch; with small networks, which step eagerly."""
    Path("sea").mkdir()
    for number, image in enumerate(images):
        save_png(f"sea/{number}.png", image)
    monkeypatch.setattr(DCGAN, "__init__", functools.partialmethod(DCGAN.__init__, **SMALL))
    monkeypatch.setattr(DCGAN, "compile", functools.partialmethod(DCGAN.compile, run_eagerly=True))
    monkeypatch.setattr(DCGAN, "fit", functools.partialmethod(DCGAN.fit, epochs=1))
    (snippet,) = blocks("python")
    smaller = snippet.replace("(150, 150, 3)", "(16, 12, 3)")
    assert smaller != snippet
    names = {}
    exec(compile(smaller, "README.md", "exec"), names)
    assert names["images"].shape == (16, 16, 12, 3)
    assert (names["gan"].generate(16, seed=7) == names["images"]).all()
    assert Path("Results/sea/samples.png").exists()


def test_each_of_the_two_commands_is_one_line_that_sets_itself_up():
    train, test = setups()
    for command, last in ((train, "main.py"), (test, "-m pytest")):
        assert command.count("\n") == 1 and command.rstrip().endswith(last)
        make, install, run = command.split(" && ")
        assert shlex.split(make) == ["python3", "-m", "venv", ".venv"]
        assert install.startswith(".venv/bin/pip install --quiet --editable ")
        assert run.startswith(".venv/bin/python ")
    assert (ROOT / "main.py").exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page):
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_file_that_the_readme_names_exists():
    named = re.findall(r"`((?:dcgan|tests|benchmarks|docs|examples)/[\w/]+\.\w+)`", README)
    assert len(named) >= 3
    for name in named:
        assert (ROOT / name).exists(), name


def test_the_table_of_options_is_that_of_the_program():
    page = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert page.endswith("\n\n" + markdown_table())


def test_the_readme_lists_the_constructors_positional_arguments():
    from dcgan.options import table

    listed = re.search(r"`DCGAN\(([^)]*)\)`;", README)[1].replace("\n", " ").split(", ")
    assert listed == list(table())[: len(listed)] and len(listed) == 10


def test_the_formats_that_are_read_and_left_out_are_named():
    text = " ".join(README.split())
    read = re.search(r"JPEG, [^.]* image formats are read", text)[0]
    for name in ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP"):
        assert name in decode.FORMATS and name in read.upper()
    left_out = re.search(r"left out on purpose: ([^.]*)\.", text)[1]
    for reason in decode.LEFT_OUT.values():
        assert reason.split()[0] in left_out or reason.startswith("XML")
