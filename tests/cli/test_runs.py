"""The verb `runs`: a line for each run of a folder."""

from pathlib import Path

import pytest

from dcgan.cli import main
from dcgan.storage.run_folder import RunFolder

pytestmark = pytest.mark.once


def begin(name, kids=()):
    with RunFolder.open(Path("Results") / name) as run:
        run.write_options({"img_size": [8, 6, 3]}, {"count": 1200}, None)
        for number, kid in enumerate(kids, 1):
            run.log.write({"step": 100 * number, "status": "learning", "measured_kid": kid})


def test_each_run_is_a_line_with_its_best_estimate(capsys):
    begin("sea", [3.0, 0.5, 2.0])
    begin("new\nline")
    Path("Results/other").mkdir()
    Path("Results/other/options.json").write_text("{}")
    begin("edited")
    path = Path("Results/edited/options.json")
    path.write_text(path.read_text().replace("1200", '"many"'))
    begin("odd", ["low", 3])
    assert main(["runs"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["run", "images", "size"]
    assert len(lines) == 2
    sea = next(line for line in lines if line.startswith("sea")).split()
    assert sea[:6] == ["sea", "1,200", "8x6x3", "300", "learning", "0.50"]
    assert any(r"new\nline" in line and "not measured" in line for line in lines)


def test_a_folder_without_runs_is_one_line(capsys):
    assert main(["runs", "nowhere"]) == 2
    assert "There are no runs in 'nowhere'" in capsys.readouterr().err
