"""The command line: a verb, its arguments and flags; each verb is a module of this folder."""

import difflib
import os
import sys
from importlib import import_module
from importlib.util import find_spec

from dcgan import __version__
from dcgan.cli.console import Parser, Terminated, end_on_sigterm, log_lines, safe_streams, say
from dcgan.cli.flags import with_flags
from dcgan.errors import ArgumentError, DCGANError, TrainingError, is_out_of_memory

BACKENDS = ("tensorflow", "jax", "torch")
VERBS = (
    "train", "generate", "walk", "animate", "browse", "open", "evaluate", "compare", "inspect",
    "export", "share", "show", "project", "runs", "presets", "cache",
)  # fmt: skip
DESCRIPTION = """Train a GAN on your own folder of images, and generate new ones.

  {0}                           draw a sample set of seascapes and train on it
  {0} path/to/images            train on a folder; the same command resumes
  {0} generate sea.dcgan -n 64  generate images with a trained model"""


def main(argv: list[str] | None = None, prog: str = "dcgan") -> int:
    """Run one command; `train` where the first word is no verb.

    Args:
        argv: the words after the program's name; None: those of this process.
        prog: how the user starts the program, as help and messages show it.

    Returns:
        0; 1 where training failed or memory ran out; 2 for wrong input, with one line on stderr;
        130 after Ctrl-C; 143 after SIGTERM.

    Raises:
        SystemExit: after help (0), or for words that are no command (2), as argparse does.
    """
    with safe_streams():
        return _run(list(sys.argv[1:] if argv is None else argv), prog)


def _run(words: list[str], prog: str) -> int:
    if words == ["help"] and not os.path.exists("help"):
        words = ["--help"]
    if words[:1] in (["-h"], ["--help"], ["--version"]):
        _overview(prog).parse_args(words)  # prints and exits
    verb, named = "train", bool(words) and words[0] in VERBS
    if named:
        verb = words.pop(0)
    elif words and not words[0].startswith("-") and not os.path.exists(words[0]):
        if close := difflib.get_close_matches(words[0], VERBS, n=1, cutoff=0.75):
            _overview(prog).refuse(f"there is no verb or folder {words[0]!r}", close[0])
    module = import_module(f"dcgan.cli.{verb}")
    parser = Parser(prog=f"{prog} {verb}", description=module.__doc__)
    module.add_arguments(parser)
    parser.usage = f"{parser.prog} {parser.words()}"
    parser.set_defaults(prog=prog, named=named)
    arguments = parser.parse_args(words)
    try:
        _check_backend()
        with log_lines(), end_on_sigterm():
            module.run(arguments)
        sys.stdout.flush()  # so that a full disk is told
        return 0
    except DCGANError as error:
        say(f"dcgan: {with_flags(str(error))}")
        return 1 if isinstance(error, TrainingError) else 2
    except OSError as error:
        where = "" if error.filename is None else f": {error.filename!r}"
        say(f"dcgan: {error.strerror or error}{where}")
        return 2
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        say(f"dcgan: memory ran out. Close other programs, or give {verb} fewer or smaller images.")
        return 1
    except KeyboardInterrupt:
        return 130
    except Terminated:
        say(f"dcgan: {verb} was stopped by SIGTERM before it ended; the same command starts again.")
        return 143


def _overview(prog: str) -> Parser:
    """The parser of the program without a verb, for its help."""
    parser = Parser(
        prog=prog,
        usage=f"{prog} [VERB] ...",
        description=DESCRIPTION.format(prog),
        epilog=f"Each verb has its own help: {prog} generate --help",
    )
    parser.add_argument("--version", action="version", version=f"dcgan {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB")
    for name in VERBS:
        explained = import_module(f"dcgan.cli.{name}").__doc__ or ""
        verbs.add_parser(name, help=explained.partition("\n")[0])
    return parser


def _check_backend() -> None:
    """Refuse, in a sentence, what Keras would end with a traceback.

    Raises:
        ArgumentError: there is no such framework, or it is not installed.
    """
    name = os.environ.get("KERAS_BACKEND")
    if not name:  # Keras's own settings decide, or what is installed
        return
    if name not in BACKENDS:
        raise ArgumentError(f"KERAS_BACKEND must be one of {', '.join(BACKENDS)}. Received: {name}")
    if find_spec(name) is None:
        raise ArgumentError(f"KERAS_BACKEND={name} needs {name}, not installed: pip install {name}")
