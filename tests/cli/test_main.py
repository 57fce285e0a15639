"""The program as a whole: help, exit codes, wrong commands and streams that nobody reads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dcgan.cli import VERBS, main
from dcgan.cli.console import progress_bar

pytestmark = pytest.mark.once
ROOT = Path(__file__).parents[2]
SLOW = {"keras", "tensorflow", "jax", "torch", "numpy", "PIL", "matplotlib", "tqdm"}


def start(*words, **options):
    """Run Python on these words with the project on its path; a finished process."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *words], env=environment, text=True, **options)


def imported(report):
    """Names of the top packages in the output of `-X importtime`, at any depth."""
    return {line.rpartition("|")[2].strip().split(".")[0] for line in report.splitlines()}


@pytest.mark.parametrize("words", [["--help"], *([verb, "--help"] for verb in VERBS)])
def test_help_imports_nothing_slow(words):
    ended = start("-X", "importtime", str(ROOT / "main.py"), *words, capture_output=True)
    assert ended.returncode == 0 and ended.stdout.startswith("usage: python main.py")
    assert "argparse" in imported(ended.stderr)
    assert not SLOW & imported(ended.stderr)


def test_an_import_is_seen_at_any_depth():
    report = "import time: 1 | 2 | argparse\nimport time: 1 | 2 |       numpy.linalg\n"
    assert imported(report) == {"argparse", "numpy"}


@pytest.mark.parametrize("prog", ["dcgan", "python main.py", "python -m dcgan"])
@pytest.mark.parametrize(
    ("words", "expected"),
    [(["--help"], "\n  {} path/to/images "), (["generate", "--help"], "usage: {} generate MODEL ")],
)
def test_help_names_the_program_as_it_was_started(prog, words, expected, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words, prog=prog)
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert shown.startswith(f"usage: {prog} ") and expected.format(prog) in shown


@pytest.mark.parametrize("word", ["--help", "help"])
def test_help_lists_every_verb_in_words(word, capsys):
    with pytest.raises(SystemExit):
        main([word])
    shown = capsys.readouterr().out
    assert all(f"\n    {verb} " in shown for verb in VERBS)


def test_the_version_is_the_packages(capsys):
    import dcgan

    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"dcgan {dcgan.__version__}\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["sea", "--img-sise", "8"], "Did you mean --img-size?"),
        (["sea", "--batchsize=8"], "Did you mean --batch-size?"),
        (["generat", "sea.dcgan"], "Did you mean generate?"),
        (["sea", "--resize", "strech"], "'crop', 'stretch', 'pad'"),
        (["sea", "--depth", "deep"], "--depth"),
        (["generate"], "MODEL"),
    ],
)
def test_a_command_that_is_none_is_answered_in_two_lines(words, expected, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    shown = capsys.readouterr()
    assert ended.value.code == 2 and shown.out == ""
    assert expected in shown.err and shown.err.count("\n") == 2
    assert "--help" in shown.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["generate", "nowhere.dcgan", "-n", "0"], ["n must be", "-n"]),
        (["generate", "nowhere.dcgan", "--seed", "-1"], ["seed must be", "--seed"]),
        (["presets", "seas"], ["'seas'", "'sea'"]),
        (["sea", "--preset", "seas"], ["'sea'", "--preset"]),
        (["sea", "--recipe", "own"], ["--recipe", "--preset"]),
        (["somewhere", "--dataset", "mnist"], ["'somewhere'", "--dataset"]),
        (["evaluate", "no.dcgan", "no", "-n", "3"], ["n must be", "-n"]),
        (["evaluate", "no.dcgan", "no", "--network", "incep"], ["network", "--network"]),
    ],
)
def test_a_wrong_value_gives_one_line_and_exit_code_2(words, expected, capsys):
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.count("\n") == 1
    assert all(word in shown.err for word in expected)


@pytest.mark.parametrize(
    ("backend", "expected"),
    [("pytorch", ["KERAS_BACKEND", "torch"]), ("jax", ["KERAS_BACKEND=jax", "pip install jax"])],
)
def test_a_framework_that_is_not_there_is_named(capsys, monkeypatch, backend, expected):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr("dcgan.cli.find_spec", lambda name: None)
    assert main(["generate", "nowhere.dcgan"]) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1 and all(word in shown for word in expected)


@pytest.mark.parametrize(
    ("error", "code", "expected"),
    [
        (OSError(28, "No space left on device", "a.png"), 2, "No space left on device: 'a.png'"),
        (BrokenPipeError(32, "Broken pipe"), 2, "Broken pipe"),
        (KeyboardInterrupt(), 130, ""),
        (MemoryError(), 1, "dcgan: memory ran out."),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 1, "dcgan: memory ran out."),
    ],
)
def test_what_ends_a_verb_is_told_without_a_guess(error, code, expected, monkeypatch, capsys):
    def fail(arguments):
        raise error

    monkeypatch.setattr("dcgan.cli.presets.run", fail)
    assert main(["presets"]) == code
    shown = capsys.readouterr().err
    assert expected in shown and "Is the disk full" not in shown


def test_failed_training_has_an_exit_code_of_its_own(monkeypatch, capsys):
    from dcgan.errors import TrainingError

    def fail(arguments):
        raise TrainingError("The losses are not finite. Lower optimizer=0.1.")

    monkeypatch.setattr("dcgan.cli.presets.run", fail)
    assert main(["presets"]) == 1
    assert "On the command line: --optimizer." in capsys.readouterr().err


PRINTS = "import sys; from dcgan.cli import main; sys.exit(main({!r}))"


def test_a_reader_of_stdout_that_goes_away_is_no_error():
    read, write = os.pipe()
    os.close(read)
    ended = start("-c", PRINTS.format(["presets"]), stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_reader_of_stderr_that_goes_away_is_no_error():
    code = "from dcgan.cli import console\nwith console.safe_streams():\n"
    code += "    [console.say('x' * 9999) for _ in range(9)]; print('end')"
    read, write = os.pipe()
    os.close(read)
    ended = start("-c", code, stdout=subprocess.PIPE, stderr=write)
    os.close(write)
    assert (ended.returncode, ended.stdout) == (0, "end\n")


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_stream_that_is_not_there_is_no_error(closed, tmp_path):
    code = f"import sys; sys.{closed} = None\n" + PRINTS.format(["presets", "nothing"])
    assert start("-c", code, capture_output=True).returncode == 2
    code = f"import sys; sys.{closed} = None\n" + PRINTS.format(["presets"])
    assert start("-c", code, capture_output=True).returncode == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_results_that_do_not_fit_on_the_disk_are_an_error():
    with open("/dev/full", "w") as full:
        ended = start("-c", PRINTS.format(["presets"]), stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode == 2 and ended.stderr == "dcgan: No space left on device\n"


def test_progress_bars_need_no_stderr():
    code = "import sys; sys.stderr = None\nfrom dcgan.cli import console\n"
    code += "with console.safe_streams(), console.progress_bar(total=2) as bar: bar.update(2)"
    assert start("-c", code, capture_output=True).returncode == 0


def test_progress_bars_are_written_each_half_minute_where_there_is_no_terminal(monkeypatch):
    for terminal, seconds in ((True, 0.1), (False, 30)):
        monkeypatch.setattr(sys.stderr, "isatty", lambda shown=terminal: shown)
        with progress_bar(total=1) as bar:
            assert bar.mininterval == seconds


def test_the_streams_are_given_back():
    before = sys.stdout, sys.stderr
    assert main(["presets", "nothing"]) == 2
    assert (sys.stdout, sys.stderr) == before
