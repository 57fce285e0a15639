"""The verb `compare`: a verdict that names the files, or JSON."""

import json

from dcgan.cli import main


def test_a_model_is_no_better_than_itself(model_file, array_file, capsys):
    path = model_file()
    assert main(["compare", path, path, array_file, "-n", "20"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("no detectable difference: KID difference 0") and path in shown


def test_json_is_all_that_stdout_holds(model_file, array_file, capsys):
    path = model_file()
    assert main(["compare", path, path, array_file, "-n", "20", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["better"] is None


def test_models_of_two_sizes_are_refused(model_file, array_file, capsys):
    other = model_file("small.dcgan", img_size=(12, 12, 3))
    assert main(["compare", model_file(), other, array_file]) == 2
    assert "one size" in capsys.readouterr().err
