"""One area in a notebook that refreshes in place: newest samples, a bar and a line of status."""

import html
import sys
from pathlib import Path

from dcgan.pages.development import find_previews
from dcgan.pages.run import encoded
from dcgan.storage.run_folder import RunFolder
from dcgan.training.callbacks.progress import Progress
from dcgan.training.callbacks.schedule import keep_training

NOTEBOOK_SECONDS = 2.0  # between two refreshes of the area


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook; IPython is never imported for that."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


class NotebookProgress(Progress):
    """Shows progress in an output area of a notebook instead of on stderr.

    Args:
        run: the run folder, whose newest grid of samples is shown.
        arguments: those of `Progress`.
    """

    def __init__(self, run: RunFolder, *arguments):
        super().__init__(*arguments)
        self.overwrites = False
        self.every_seconds = NOTEBOOK_SECONDS
        self.run = run
        self._handle = None

    def show(self, line: str, share: float) -> None:
        """Show the newest grid, the bar and the line in the area, which is made once."""
        from IPython.display import HTML, display

        page = HTML(area(newest_grid(self.run.path), line, share if self.known else None))
        if self._handle is None:
            self._handle = display(page, display_id=True)
        else:
            self._handle.update(page)


def newest_grid(path: Path) -> str | None:
    """The newest samples of the run at `path` as the `src` of an `<img>`, or None."""
    grids = find_previews(path / "samples")
    with keep_training("the samples in the notebook"):
        return encoded(grids[-1], grids[-1].stat().st_mtime_ns)[0] if grids else None
    return None


def area(grid: str | None, line: str, share: float | None) -> str:
    """The area as HTML; a share of None is a bar without an end."""
    image = ""
    if grid is not None:
        image = f'<img alt="generated samples" style="max-width:100%" src="{grid}"><br>'
    value = "" if share is None else f' value="{share:.4f}"'
    bar = f'<progress max="1"{value} style="width:320px" aria-label="training"></progress>'
    return f"<div>{image}{bar}<div>{html.escape(line)}</div></div>"
