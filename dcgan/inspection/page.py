"""An inspection as one self-contained HTML page."""

import base64
import html
import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from dcgan.errors import counted, printable, ranked
from dcgan.images import grid, png_bytes, straight_alpha
from dcgan.inspection.advice import expectation

if TYPE_CHECKING:
    from dcgan.inspection.inspect import Inspection

SHEET_WIDTH = 1000  # pixels of the contact sheet
MAX_IN_SHEET = 120
MAX_LISTED = 200
MAX_DUPLICATES = 40
PLOT = 300  # pixels of a plot's side

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:1040px;margin:2rem auto;padding:0 1rem;
color:#222;background:#fff}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
img{max-width:100%;image-rendering:pixelated}figure{display:inline-block;margin:0 1rem 1rem 0}
figcaption,td,small{font-size:.8rem;color:#555;overflow-wrap:anywhere}
code{background:#eee;padding:.1rem .3rem}td{padding:0 1rem 0 0;vertical-align:top}
svg{background:#f6f6f6;margin-right:1rem}svg text{font-size:11px;fill:#555}
"""


def page(inspection: "Inspection") -> str:
    """The whole page, as HTML."""
    title = f"Inspection of {_safe(inspection.source)}"
    parts = [
        f"<h1>{title}</h1>",
        _facts(inspection),
        "<h2>Sizes</h2>",
        _size_plot(inspection.sizes),
        _aspect_plot(inspection.sizes),
        _odd(inspection),
        "<h2>What the network will see</h2>",
        _contact_sheet(inspection),
        _duplicates(inspection),
        _skipped(inspection.images.skipped),
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{title}</title><style>{STYLE}</style>{''.join(parts)}</html>\n"
    )


def _facts(inspection: "Inspection") -> str:
    proposal = inspection.proposal
    count = len(inspection.images)
    measured = "".join(f"<p>{line}</p>" for line in inspection.measured_in_words())
    return (
        f"<p><b>{counted(count, 'usable image')}</b>, "
        f"{counted(len(inspection.images.skipped), 'file')} skipped. "
        f"Gray: {inspection.gray:,}. With transparency: {inspection.transparent:,}. "
        f"Exact duplicates: {counted(len(inspection.exact), 'group')}. "
        f"Near duplicates: {counted(len(inspection.near), 'pair')}.</p>"
        f"<p>Proposed: <code>{proposal.text()}</code> and {proposal.steps:,} steps.</p>"
        f"{measured}<p>{_safe(expectation(count))}</p>"
    )


def _size_plot(sizes: Counter) -> str:
    """Width against height, a dot for each size, larger where more images have it."""
    largest = max(max(size) for size in sizes)
    most = max(sizes.values())

    def place(pixels: int) -> float:
        return 20 + (PLOT - 40) * pixels / largest

    dots = [
        f'<circle cx="{place(width):.1f}" cy="{PLOT - place(height):.1f}" '
        f'r="{3 + 9 * math.sqrt(count / most):.1f}" fill="#07c" fill-opacity=".5">'
        f"<title>{width} x {height}: {count:,}</title></circle>"
        for (width, height), count in ranked(sizes)[:2000]
    ]
    diagonal = f'<line x1="20" y1="{PLOT - 20}" x2="{PLOT - 20}" y2="20" stroke="#bbb"/>'
    labels = (
        f'<text x="{PLOT - 20}" y="{PLOT - 5}" text-anchor="end">width (to {largest:,})</text>'
        '<text x="5" y="14">height</text>'
    )
    return f'<svg width="{PLOT}" height="{PLOT}">{diagonal}{"".join(dots)}{labels}</svg>'


def _aspect_plot(sizes: Counter) -> str:
    """How many images are how wide for their height, in steps of a quarter of an octave."""
    bins: Counter[int] = Counter()
    for (width, height), count in sizes.items():
        bins[max(-8, min(8, round(4 * math.log2(width / height))))] += count
    tallest, step = max(bins.values()), (PLOT - 20) / 17
    bars = [
        f'<rect x="{10 + (position + 8) * step:.1f}" width="{step - 2:.1f}" '
        f'y="{PLOT - 20 - (PLOT - 40) * count / tallest:.1f}" '
        f'height="{max(1, (PLOT - 40) * count / tallest):.1f}" fill="#07c">'
        f"<title>{2 ** (position / 4):.2f}: {count:,}</title></rect>"
        for position, count in bins.items()
    ]
    labels = "".join(
        f'<text x="{10 + (position + 8.5) * step:.1f}" y="{PLOT - 5}" '
        f'text-anchor="middle">{words}</text>'
        for position, words in ((-8, "1:4"), (-4, "1:2"), (0, "1:1"), (4, "2:1"), (8, "4:1"))
    )
    return f'<svg width="{PLOT}" height="{PLOT}">{"".join(bars)}{labels}</svg>'


def _odd(inspection: "Inspection") -> str:
    if not inspection.odd:
        return ""
    original = dict(zip(inspection.images.names, inspection.images.originals, strict=True))
    rows = [(name, f"{original[name][0]} x {original[name][1]}") for name in inspection.odd]
    (width, height), _ = ranked(inspection.sizes)[0]
    return f"<p>All are {width} x {height} but these:</p>" + _table(rows)


def _contact_sheet(inspection: "Inspection") -> str:
    """Some of the images, evenly chosen, after the crop."""
    pixels = inspection.images.pixels
    columns = max(1, min(20, SHEET_WIDTH // (pixels.shape[2] + 2)))
    count = min(len(pixels), MAX_IN_SHEET, columns * max(1, 2000 // (pixels.shape[1] + 2)))
    chosen = np.linspace(0, len(pixels) - 1, count).astype(int)
    sheet = grid(straight_alpha(np.stack([pixels[index] for index in chosen])), columns)
    return f"{_image(sheet)}<br><small>{count:,} of {len(pixels):,}, evenly chosen</small>"


def _duplicates(inspection: "Inspection") -> str:
    """Equal and nearly equal images side by side, with their names."""
    number = {name: index for index, name in enumerate(inspection.images.names)}
    parts = []
    for heading, groups in (("Exact", inspection.exact), ("Near", inspection.near)):
        if not groups:
            continue
        parts.append(f"<h2>{heading} duplicates: {len(groups):,}</h2>")
        for group in groups[:MAX_DUPLICATES]:
            shown = [inspection.images.pixels[number[name]] for name in group[:6]]
            names = " | ".join(_safe(name) for name in group[:6])
            image = _image(grid(straight_alpha(np.stack(shown)), len(shown)))
            parts.append(f"<figure>{image}<figcaption>{names}</figcaption></figure>")
    return "".join(parts)


def _skipped(skipped: list[tuple[str, str]]) -> str:
    if not skipped:
        return ""
    more = f"<p>... and {len(skipped) - MAX_LISTED:,} more</p>" if len(skipped) > MAX_LISTED else ""
    return f"<h2>Skipped: {len(skipped):,}</h2>" + _table(skipped[:MAX_LISTED]) + more


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td>{_safe(one)}<td>{_safe(other)}" for one, other in rows)
    return f"<table>{cells}</table>"


def _image(image: np.ndarray) -> str:
    content = base64.b64encode(png_bytes(image)).decode("ascii")
    return f'<img alt="" src="data:image/png;base64,{content}">'


def _safe(words: str) -> str:
    return html.escape(printable(words))
