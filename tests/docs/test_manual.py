"""The manual: its Python runs, its commands are understood, and it builds without a warning."""

import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from dcgan import DCGAN
from dcgan.cli import VERBS
from dcgan.cli.console import Parser
from dcgan.export.showing import Showing
from dcgan.images import save_png
from dcgan.training.starting import Starting

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
COMMAND = re.compile(r"(?:[A-Z_]+=\S+ |srun )*(?:dcgan|python main\.py)(?: (.*))?$")
STEPS = 1  # of each `fit`: a test of words, not of training


def blocks(page, language):
    """Code blocks of a page in a language."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S)


def name(page):
    """A page's path, below docs/ or below the clone."""
    return page.relative_to(ROOT).as_posix().removeprefix("docs/")


def commands():
    """Every line of a shell block that calls the program, with its page."""
    for page in [*PAGES, ROOT / "README.md"]:
        for block in [*blocks(page, "sh"), *blocks(page, "text")]:
            for line in block.replace("\\\n", " ").splitlines():
                found = re.match(
                    r"(?:[A-Z_]+=\S+ |srun )*(?:dcgan|python main\.py)(?: (.*))?$", line
                )
                if found and "VERB" not in line and "[" not in line:
                    yield pytest.param(found[1] or "", id=f"{name(page)}: {line}")


@pytest.fixture
def small(monkeypatch, images, eager, converters_here):
    """Tiny networks and images, whatever a page asks for, and a run of a step."""
    for folder, channels in (("sea", 3), ("sprites", 4)):
        Path(folder).mkdir()
        for number, image in enumerate(images):
            opaque = np.full((*image.shape[:2], 1), 255, np.uint8)
            image = image if channels == 3 else np.concatenate([image, opaque], axis=-1)
            save_png(f"{folder}/{number}.png", image)
    build, fit = DCGAN.__init__, DCGAN.fit

    def init(self, *arguments, **options):
        if "network_plan" not in options:
            size = options.get("img_size", (64, 64, 3))
            options |= {"img_size": (12, 16, size[2]), "depth": 2, "increment": 2, "input_size": 4}
        build(self, *arguments, **{**options, "batch_size": 5})

    def short(self, x, epochs=1, minutes=None, **options):
        return fit(self, x, epochs=epochs and min(epochs, 2), steps_per_epoch=STEPS, **options)

    monkeypatch.setattr(DCGAN, "__init__", init)
    monkeypatch.setattr(DCGAN, "fit", short)


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=name)
def test_the_python_of_a_page_runs_from_top_to_bottom(page, small):
    text = "\n".join(blocks(page, "python")).replace("(64, 64, 64, 3)", "(64, 12, 16, 3)")
    if "onnxruntime" in text:
        for package in ("onnxruntime", "tf2onnx", "ai_edge_litert"):
            pytest.importorskip(package)
    exec(compile(text, name(page), "exec"), {"__name__": "manual"})


@pytest.mark.parametrize("words", list(commands()))
def test_a_command_is_understood(words):
    words = shlex.split(words, comments=True)
    verb = words.pop(0) if words and words[0] in VERBS else "train"
    module = import_module(f"dcgan.cli.{verb}")
    parser = Parser(prog="dcgan")
    module.add_arguments(parser)
    arguments = parser.parse_args(words)
    if verb == "train":
        from dcgan.cli.flags import given_options
        from dcgan.options import Options

        Options(**given_options(arguments))  # checks every value


def test_shell_blocks_call_what_the_test_looks_at():
    known = r"(?:[A-Z_]+=\S+ )?(?:export|dcgan|python|python3|pip|source|mkdocs)\b"
    for page in PAGES:
        for line in "".join(blocks(page, "sh")).splitlines():
            assert re.match(known, line), f"{name(page)}: {line}"


def test_every_page_opens_with_its_title():
    for page in PAGES:
        assert page.read_text(encoding="utf-8").startswith("# "), name(page)


def test_the_page_on_examples_lists_each():
    page = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    for path in (ROOT / "examples").iterdir():
        if path.suffix in (".py", ".ipynb"):
            (row,) = (row for row in page.splitlines() if row[:1] == "|" and path.stem in row)
            assert row.count("](images/") == 1, path.name


def test_images_of_the_manual_are_small():
    images = list((ROOT / "docs" / "images").iterdir())
    assert images and all(image.stat().st_size <= 60_000 for image in images)


def test_the_page_on_options_is_that_of_the_program():
    from dcgan.options import markdown_table

    page = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert page.endswith("\n\n" + markdown_table())


def test_the_manual_builds_strictly_and_holds_every_flag(tmp_path):
    pytest.importorskip("mkdocs", reason="pip install dcgan[docs]")
    pytest.importorskip("material", reason="pip install dcgan[docs]")
    pytest.importorskip("mkdocstrings", reason="pip install dcgan[docs]")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONWARNINGS": "ignore"}
    built = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    flags = (tmp_path / "reference" / "command-line.html").read_text(encoding="utf-8")
    for verb in VERBS:
        parser = Parser(prog="dcgan")
        import_module(f"dcgan.cli.{verb}").add_arguments(parser)
        for action in parser._actions:
            if action.help != "==SUPPRESS==" and "--help" not in action.option_strings:
                assert all(f"<code>{flag}</code>" in flags for flag in action.option_strings)
    python = (tmp_path / "reference" / "python.html").read_text(encoding="utf-8")
    inner = ("build_generator", "build_discriminator", "has_own_networks")  # in the guide on them
    for owner in (DCGAN, Showing, Starting):
        for method in vars(owner):
            if not method.startswith("_") and method not in inner and not method.endswith("_loss"):
                assert f'id="dcgan.gan.DCGAN.{method}"' in python, method
    assert "<blockquote>" not in python  # which an example becomes that is not read as one
