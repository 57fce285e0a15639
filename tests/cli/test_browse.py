"""The verb `browse`."""

import json
import re
import shlex

import pytest

from dcgan.cli import main


def test_a_page_is_written_beside_the_model(tiny, tmp_path, capsys):
    (tmp_path / "my runs").mkdir()
    tiny().save(tmp_path / "my runs" / "a.dcgan")
    assert main(["browse", "my runs/a.dcgan", "-n", "3", "--first", "20"]) == 0
    page = (tmp_path / "my runs" / "browse.html").read_text()
    assert "dcgan generate \\u0027my runs/a.dcgan\\u0027" in page  # as the page's JSON has it
    assert '"seeds": [20, 21, 22]' in page
    assert "browse.html: 3 seeds" in capsys.readouterr().out


def test_a_command_that_was_copied_makes_the_images(tiny, tmp_path):
    tiny().save("a.dcgan")
    assert main(["browse", "a.dcgan", "-n", "3", "--truncation", "0.5"]) == 0
    data = re.search(r'id="data">(.*?)</script>', (tmp_path / "browse.html").read_text())[1]
    words = shlex.split(json.loads(data)["command"] + " --seeds 0-1")
    assert words[:2] == ["dcgan", "generate"] and main(words[1:]) == 0
    assert len(list((tmp_path / "generated").glob("truncation0.5_seed[01]_*.png"))) == 2


@pytest.mark.once
@pytest.mark.parametrize("words", [["-n", "0"], ["--first", "-1"], ["--truncation", "2"]])
def test_a_wrong_number_is_one_line_that_names_the_flag(words, capsys):
    assert main(["browse", "a.dcgan", *words]) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1 and words[0] in shown


def test_a_place_that_cannot_be_written_is_named(tiny, tmp_path, capsys):
    tiny().save("a.dcgan")
    (tmp_path / "file").write_text("")
    assert main(["browse", "a.dcgan", "-n", "1", "--out", "file/page.html"]) == 2
    assert "Cannot write --out 'file/page.html'" in capsys.readouterr().err
