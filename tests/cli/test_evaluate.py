"""The verb `evaluate`: a table or JSON on stdout, notes on stderr, a contact sheet."""

import json

from dcgan.cli import main


def test_every_estimate_is_printed(model_file, array_file, capsys):
    assert main(["evaluate", model_file(), array_file, "-n", "30"]) == 0
    shown = capsys.readouterr()
    for word in ("KID", "FID", "coverage", "random", "held out (20)", "all alike"):
        assert word in shown.out
    assert "Note" not in shown.err


def test_json_is_all_that_stdout_holds(model_file, array_file, capsys):
    assert main(["evaluate", model_file(), array_file, "-n", "30", "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["floor"]["KID"]["n_fake"] == 20
    assert plain["estimates"]["KID"]["n_fake"] == 30 and plain["notes"] == []


def test_notes_go_to_stderr(tiny, array_file, tmp_path, capsys):
    tiny().save(tmp_path / "other.dcgan")
    assert main(["evaluate", str(tmp_path / "other.dcgan"), array_file, "-n", "20"]) == 0
    shown = capsys.readouterr()
    assert "Note: The model does not say" in shown.err and "Note" not in shown.out


def test_a_contact_sheet_is_written(model_file, array_file, tmp_path):
    path = tmp_path / "memory.png"
    assert main(["evaluate", model_file(), array_file, "-n", "20", "--sheet", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_contact_sheet_that_cannot_be_written_is_named_before_the_work(model_file, capsys):
    path = model_file() + "/memory.png"
    assert main(["evaluate", model_file(), "nowhere", "-n", "20", "--sheet", path]) == 2
    assert f"--sheet {path!r}" in capsys.readouterr().err


def test_a_missing_model_is_named(array_file, capsys):
    assert main(["evaluate", "missing.dcgan", array_file]) == 2
    assert "missing.dcgan" in capsys.readouterr().err
