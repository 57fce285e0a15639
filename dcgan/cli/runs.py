"""List the runs of a folder: images, size, steps, status and best rKID, the latest first."""

import argparse
import time
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument(
        "folder", metavar="FOLDER", nargs="?", default="Results", help="default: Results"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print a table."""
    from dcgan.errors import RunError, printable

    folder = Path(arguments.folder)
    found = [path.parent for path in folder.glob("*/options.json")]
    rows = [row for row in map(_row, found) if row]
    if not rows:
        raise RunError(f"There are no runs in {str(folder)!r}. Give the folder that holds them.")
    rows.sort(reverse=True)
    table = [("run", "images", "size", "steps", "status", "best rKID", "last written")]
    for moment, *cells in rows:
        table.append((*cells, time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))))
    widths = [max(len(printable(row[column])) for row in table) for column in range(len(table[0]))]
    for row in table:
        words = (printable(c).ljust(width) for c, width in zip(row, widths, strict=True))
        print("  ".join(words).rstrip())


def _row(path: Path) -> tuple | None:
    """When the run at `path` was last written, and its cells; None where it is no run."""
    from dcgan.errors import RunError
    from dcgan.storage.run_folder import read_run
    from dcgan.storage.run_log import RunLog

    try:
        run = read_run(path)
        if run is None:
            return None
        records = RunLog(path).records()
        kids = [r["measured_kid"] for r in records if r.get("measured_kid") is not None]
        statuses = [r["status"] for r in records if "status" in r]
        count = run["data"].get("count")
        return (
            max(file.stat().st_mtime for file in path.glob("*.json*")),
            path.name,
            "?" if count is None else f"{count:,}",
            "x".join(map(str, run["options"].get("img_size", "?"))),
            f"{records[-1]['step']:,}" if records else "0",
            str(statuses[-1]) if statuses else "not measured",
            f"{min(kids):.2f}" if kids else "?",
        )
    except (RunError, TypeError, ValueError):  # another program's files, or damaged ones
        return None
