"""The workflow for GitHub is valid YAML, and runs what the README and `.ci/run` say."""

import re
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"


@pytest.fixture
def jobs():
    """The jobs of the workflow by name."""
    yaml = pytest.importorskip("yaml", reason="pip install dcgan[docs]")
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]


def test_each_backend_is_tested_on_each_python_and_system(jobs):
    from dcgan.cli import BACKENDS

    matrix = jobs["tests"]["strategy"]["matrix"]
    assert matrix["backend"] == list(BACKENDS)
    assert matrix["python"] == ["3.11", "3.12", "3.13"]
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}


def test_every_step_does_one_thing(jobs):
    for job in jobs.values():
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step), step


def test_the_commands_of_the_readme_are_called(jobs):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    train, test = re.findall(r"^python3 -m venv .*$", readme, flags=re.M)
    called = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    assert train in called
    set_up, _, run = test.rpartition(" && ")
    assert set_up in called and run in called


def test_the_oldest_versions_that_are_tested_are_those_that_are_allowed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    allowed = dict(row.split(">=") for row in project["dependencies"])
    lines = (ROOT / "tests" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    tested = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert tested.keys() == allowed.keys()
    for name, version in allowed.items():
        assert f"{tested[name]}.0.0".startswith(f"{version}."), name


def test_each_python_that_is_tested_is_declared(jobs):
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for version in jobs["tests"]["strategy"]["matrix"]["python"]:
        assert f'"Programming Language :: Python :: {version}"' in text
