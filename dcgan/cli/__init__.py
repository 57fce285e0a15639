"""What can I type? A verb and its options; each verb is a file of its own in this folder."""

import argparse
import logging
import os
import sys
from importlib import import_module
from importlib.util import find_spec

from dcgan import __version__
from dcgan.errors import ArgumentError, DCGANError, TrainingError

BACKENDS = ("tensorflow", "jax", "torch")
VERBS = ("train", "generate", "evaluate", "compare", "inspect", "presets", "cache")
DESCRIPTION = """Train a GAN on your own folder of images, and make new ones.

  python main.py                          draw a sample set of seascapes and train on it
  python main.py path/to/images           train on a folder; again to go on where it stopped
  python main.py generate sea.dcgan -n 64 make images with a trained model"""


def main(argv: list[str] | None = None) -> int:
    """Run one command; `train` where the first word is no verb.

    Returns:
        0; 1 where training failed; 2 for wrong input, with one line on stderr; 130 after Ctrl-C.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    asks_for_all = not argv or argv[0] in ("-h", "--help", "--version")
    if not asks_for_all and argv[0] not in VERBS:
        argv.insert(0, "train")
    if not argv:
        argv = ["train"]
    parser = _parser(argv[0])
    arguments = parser.parse_args(argv)
    # Framework start-up notes (no GPU found, oneDNN is on) are nothing a person can act on.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("dcgan").setLevel(logging.INFO)
    try:
        if backend := os.environ.get("KERAS_BACKEND"):  # without it, Keras's own settings decide
            _check_backend(backend)
        return arguments.run(arguments)
    except DCGANError as error:
        print(f"dcgan: {' '.join(str(error).split())}", file=sys.stderr)
        return 1 if isinstance(error, TrainingError) else 2
    except OSError as error:
        print(f"dcgan: {error}. Is the disk full, or the place read-only?", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _check_backend(name: str) -> None:
    """Refuse, in a sentence, what Keras would end with a traceback.

    Raises:
        ArgumentError: there is no such framework, or it is not installed.
    """
    if name not in BACKENDS:
        raise ArgumentError(f"KERAS_BACKEND must be one of {', '.join(BACKENDS)}. Received: {name}")
    if find_spec(name) is None:
        raise ArgumentError(f"KERAS_BACKEND={name} needs {name}, not installed: pip install {name}")


def _parser(wanted: str) -> argparse.ArgumentParser:
    """The parser; only the wanted verb's own options are filled in, so that help is quick."""
    parser = argparse.ArgumentParser(
        prog="python main.py",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Each verb has its own help: python main.py generate --help",
    )
    parser.add_argument("--version", action="version", version=f"dcgan {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="verb", required=True)
    for name in VERBS:
        module = import_module(f"dcgan.cli.{name}")
        verb = verbs.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == wanted:
            module.add_arguments(verb)
            verb.set_defaults(run=module.run)
    return parser
