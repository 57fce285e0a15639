"""Flags of `train`: one for each option of the table, with its kind, choices and default."""

import argparse
import logging

import pytest

from dcgan.cli.console import log_lines
from dcgan.cli.flags import add_option_flags, as_flags, flag, given_options, with_flags
from dcgan.options import Options, table

pytestmark = pytest.mark.once
ROWS = {name: row for name, row in table().items() if row.metadata["flag"]}


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser()
    add_option_flags(parser)
    return parser


def test_every_option_with_a_flag_has_one_spelling_of_it(parser):
    named = {a.dest: a.option_strings for a in parser._actions if a.dest != "help"}
    assert named.keys() == ROWS.keys()
    for name, spellings in named.items():
        assert spellings[0] == "--" + name.replace("_", "-")
        assert spellings[1:] in ([], ["--no-" + name.replace("_", "-")])


def test_help_shows_every_option_with_its_default(parser):
    shown = " ".join(parser.format_help().split())
    assert shown.count("Default:") == len(ROWS)
    assert "Default: 150 150 3." in shown and "Default: on." in shown
    assert "None" not in shown and "False" not in shown


def test_a_flag_that_is_not_given_leaves_the_default_to_the_table(parser):
    assert given_options(parser.parse_args([])) == {}


def test_each_default_can_be_typed_and_comes_back_as_it_was(parser):
    for name, row in ROWS.items():
        if row.default is not None and not isinstance(row.default, bool):
            words = as_flags({name: row.default}).split()
            given = given_options(parser.parse_args(words))
            assert getattr(Options(**given), name) == row.default
            assert given.keys() == {name}


def test_switches_are_given_as_two_flags(parser):
    assert given_options(parser.parse_args(["--no-one-stage"])) == {"one_stage": False}
    assert given_options(parser.parse_args(["--horizontal-flip"])) == {"horizontal_flip": True}


@pytest.mark.parametrize(("word", "value"), [("0.001", 0.001), ("rmsprop", "rmsprop")])
def test_an_optimizer_is_a_rate_or_a_name(parser, word, value):
    assert given_options(parser.parse_args(["--optimizer", word])) == {"optimizer": value}


def test_a_word_that_is_no_choice_is_refused(parser, capsys):
    with pytest.raises(SystemExit):
        parser.parse_args(["--resize", "squeeze"])
    assert "stretch" in capsys.readouterr().err


def test_options_are_written_as_flags():
    options = {"img_size": (28, 28, 1), "depth": 3}
    assert as_flags(options) == "--img-size 28 28 1 --depth 3"


def test_a_message_is_followed_by_the_flags_of_what_it_names():
    said = with_flags("depth must be 1.\nReceived: depth=9. Use resume=False, or depth=1.")
    assert said == (
        "depth must be 1. Received: depth=9. Use resume=False, or depth=1. "
        "On the command line: --depth, --new."
    )


def test_a_message_that_names_no_argument_stays_as_it_is():
    said = "The file 'a=b' is empty; nothing_else=1."
    assert with_flags(said) == said


def test_what_the_library_logs_is_a_line_with_flags_while_a_verb_runs(capsys):
    logger = logging.getLogger("dcgan")
    with log_lines():
        logger.info("Proposed:\nimg_size=%s", (8, 8, 3))
    logger.info("after")
    assert capsys.readouterr().err == (
        "Proposed: img_size=(8, 8, 3). On the command line: --img-size.\n"
    )


def test_a_flag_has_dashes():
    assert flag("kernel_size") == "--kernel-size"
