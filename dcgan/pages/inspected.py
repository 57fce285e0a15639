"""The page of an inspection: the facts about a folder of images, and the images themselves."""

import numpy as np
from markupsafe import Markup

from dcgan.errors import counted, printable, ranked
from dcgan.images import evenly, grid, straight_alpha
from dcgan.inspection.advice import expectation
from dcgan.inspection.inspect import Inspection
from dcgan.pages.templating import data_uri, render
from dcgan.plots import shapes_svg, sizes_svg

SHEET_WIDTH = 1000  # pixels of the contact sheet
MAX_IN_SHEET = 120
MAX_LISTED = 200
MAX_DUPLICATES = 40  # groups and pairs
MAX_ALIKE = 6  # images of a group


def inspection_page(inspection: Inspection) -> str:
    """The page as HTML that needs no network and no other file.

    Args:
        inspection: what `dcgan.inspect` returns.
    """
    images, skipped = inspection.images, inspection.images.skipped
    sheet, shown = _contact_sheet(images.pixels)
    return render(
        "inspected.html",
        source=printable(inspection.source),
        facts=_facts(inspection),
        proposal=f"{inspection.proposal.text()}, {inspection.steps_in_words()}",
        measured=inspection.measured_in_words(),
        expectation=expectation(len(images)),
        plots=_plots(inspection),
        odd=_odd(inspection),
        sheet=sheet,
        sheet_words=f"{shown:,} of {len(images):,}, evenly chosen",
        duplicates=_duplicates(inspection),
        skipped=[(printable(name), printable(why)) for name, why in skipped[:MAX_LISTED]],
        skipped_count=len(skipped),
    )


def _facts(inspection: Inspection) -> list[tuple[str, str]]:
    return [
        ("usable images", f"{len(inspection.images):,}"),
        ("skipped files", f"{len(inspection.images.skipped):,}"),
        ("gray", f"{inspection.gray:,}"),
        ("with transparency", f"{inspection.transparent:,}"),
        ("exact duplicates", counted(len(inspection.exact), "group")),
        ("near duplicates", counted(len(inspection.near), "pair")),
    ]


def _plots(inspection: Inspection) -> list[dict[str, str]]:
    drawn = (
        (sizes_svg, "Sizes of the images; the larger a dot, the more images have that size."),
        (shapes_svg, "How many images are how wide for their height."),
    )
    return [{"svg": Markup(draw(inspection.sizes, words)), "words": words} for draw, words in drawn]


def _odd(inspection: Inspection) -> list[tuple[str, str]]:
    """Images of another size than most, where nearly all have one size."""
    if not inspection.odd:
        return []
    originals = dict(zip(inspection.images.names, inspection.images.originals, strict=True))
    (width, height), _ = ranked(inspection.sizes)[0]
    rows = [(printable(n), f"{originals[n][0]} x {originals[n][1]}") for n in inspection.odd]
    return [("all others", f"{width} x {height}"), *rows]


def _contact_sheet(pixels: np.ndarray) -> tuple[str, int]:
    """Some of the images, evenly chosen, after the crop; and how many."""
    columns = max(1, min(20, SHEET_WIDTH // (pixels.shape[2] + 2)))
    count = min(len(pixels), MAX_IN_SHEET, columns * max(1, 2000 // (pixels.shape[1] + 2)))
    chosen = np.stack([pixels[index] for index in evenly(len(pixels), count)])
    return data_uri(grid(straight_alpha(chosen), columns)), count


def _duplicates(inspection: Inspection) -> list[dict]:
    """Equal and nearly equal images side by side, with their names."""
    number = {name: index for index, name in enumerate(inspection.images.names)}
    found = []
    for kind, groups in (("Exact", inspection.exact), ("Near", inspection.near)):
        shown = []
        for group in groups[:MAX_DUPLICATES]:
            names = group[:MAX_ALIKE]
            alike = np.stack([inspection.images.pixels[number[name]] for name in names])
            image = data_uri(grid(straight_alpha(alike), len(alike)))
            shown.append({"source": image, "names": " | ".join(map(printable, names))})
        if shown:
            found.append({"heading": f"{kind} duplicates: {len(groups):,}", "groups": shown})
    return found
