"""Open the page of a run in the browser: its status, samples, numbers and options."""

import argparse
import webbrowser

from dcgan.cli.console import find_run, writing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument("run", metavar="RUN", help="a run folder, or the name of a run in Results")


def run(arguments: argparse.Namespace) -> None:
    """Open the page, which is written where it is missing, and print where it is."""
    from dcgan.pages.run import PAGE, write_run_page

    folder = find_run(arguments.run)
    page = folder / PAGE
    if not page.exists():
        with writing("the page", page):
            write_run_page(folder)
    print(page)
    webbrowser.open(page.resolve().as_uri())
