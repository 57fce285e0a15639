"""All estimates of a model beside their real-against-real floor, and the better of two models."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from dcgan.images import evenly
from dcgan.metrics.distances import fid, kid, kid_difference
from dcgan.metrics.estimate import Estimate, withheld
from dcgan.metrics.features import features, load_network, scaling
from dcgan.metrics.manifold import manifold_estimates
from dcgan.metrics.memorization import Memorization, memorization, sheet
from dcgan.metrics.variety import MIN_VARIETY, variance_share

MAX_REAL = 5_000  # real images in the distances: more cost minutes and change little
NAMES = ("KID", "FID", "precision", "recall", "density", "coverage")


@dataclass(frozen=True)
class Evaluation:
    """All that was measured on one model's samples.

    Args:
        estimates: by name (KID, FID, precision, recall, density, coverage): generated against
            training images.
        floor: by name: held-out against training images, the best that can be hoped for.
        copies: how near the samples are to training images.
        variance: the samples' variance as a share of the real images' (`variance_share`).
        network: name of the feature network behind `estimates` and `floor`.
        generated, real: uint8 (n, H, W, C), what was measured, and what it was compared with.
        notes: what to keep in mind when reading them.
        of_training: whether the real images are those of the training, as far as that is known.
    """

    estimates: dict[str, Estimate]
    floor: dict[str, Estimate]
    copies: Memorization
    variance: float
    network: str
    generated: np.ndarray = field(repr=False, compare=False)
    real: np.ndarray = field(repr=False, compare=False)
    notes: tuple[str, ...] = ()
    of_training: bool = True

    @property
    def memorization(self) -> Memorization | None:
        """Whether the samples are copies; None where that cannot be told.

        Of images of another training it cannot, nor of samples that are one image over and over,
        whose many distances are one.
        """
        return self.copies if self.of_training and not self.alike else None

    @property
    def alike(self) -> bool:
        """Whether the samples are nearly all alike."""
        return self.variance < MIN_VARIETY

    def contact_sheet(self) -> np.ndarray:
        """The generated images most like a real one, each beside its nearest: uint8 (h, w, C)."""
        return sheet(self.generated, self.real, self.copies)

    def text(self) -> str:
        """A table: each estimate beside its floor, the verdict on copying, and a summary."""
        kid_estimate = self.estimates["KID"]
        lines = [
            f"{kid_estimate.n_fake:,} generated against {kid_estimate.n_real:,} training images; "
            f"feature network: {self.network}; in brackets: 95% intervals",
            f"{'':10} {'generated':30} real, held out ({self.floor['KID'].n_fake:,})",
        ]
        notes: dict[str, None] = {}
        for name in NAMES:
            estimates = (self.estimates[name], self.floor[name])
            shown = [f.text() if f.value is not None else "-" for f in estimates]
            lines.append(f"{name:10} {shown[0]:30} {shown[1]}")
            notes.update((f"{f.reason}.", None) for f in estimates[:1] if f.value is None)
        counts = [estimates["coverage"].n_fake for estimates in (self.estimates, self.floor)]
        if counts[1] not in (0, counts[0]):
            notes[
                f"precision to coverage are from {counts[0]:,} images of each kind, and from "
                f"{counts[1]:,} for those held out: fewer give other values, so the two columns "
                "compare by KID alone."
            ] = None
        verdict = [self.memorization.text()] if self.memorization else []
        return "\n".join([*lines, *notes, *verdict, self.in_short()])

    def in_short(self) -> str:
        """What it comes to, in a sentence that needs no other."""
        measured, floor = self.estimates["KID"], self.floor["KID"]
        covered = self.estimates["coverage"].value
        parts: list[str] = []
        if measured.low is not None:
            reached = measured.low <= (0.0 if floor.high is None else floor.high)
            told = "cannot be told from real ones by this" if reached else "differ from real ones"
            parts.append(f"the generated images {told}")
        if covered is not None:
            parts.append(f"{covered:.0%} of the real images have a generated one like them")
        if self.alike:
            parts.append(f"they are nearly all alike ({self.variance:.0%} of the variance)")
        if self.memorization:
            many = self.memorization.copying
            parts.append("many are copies" if many else "there is no sign of copying")
        return f"In short: {'; '.join(parts) or 'too few images to say'}."

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {
            "network": self.network,
            "estimates": {name: asdict(estimate) for name, estimate in self.estimates.items()},
            "floor": {name: asdict(estimate) for name, estimate in self.floor.items()},
            "variance": self.variance,
            "memorization": self.memorization and self.memorization.to_dict(),
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Comparison:
    """Which of two models comes nearer to the real images.

    Args:
        first, second: KID of each.
        difference: KID of the first less that of the second, with its own, narrower interval.
        notes: what to keep in mind when reading them.
    """

    first: Estimate
    second: Estimate
    difference: Estimate
    notes: tuple[str, ...] = ()

    @property
    def better(self) -> int | None:
        """0 if the first model is better, 1 if the second is, None if no difference is seen."""
        value, low, high = self.difference.value, self.difference.low, self.difference.high
        if value is None or low is None or high is None or low <= 0 <= high:
            return None
        return 0 if value < 0 else 1

    def text(self, names: tuple[str, str] = ("A", "B")) -> str:
        """The verdict in one line, and both estimates."""
        which = "no detectable difference"
        if self.better is not None:
            which = f"{names[self.better]} is better"
        lines = [
            f"{which}: KID difference {self.difference.text()}",
            f"  {names[0]}: KID {self.first.text()}",
            f"  {names[1]}: KID {self.second.text()}",
            f"  {self.first.n_real:,} real images; feature network: {self.first.network}",
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {"better": self.better, **asdict(self)}


def evaluate(
    generated: np.ndarray,
    train: np.ndarray,
    held_out: np.ndarray | None = None,
    network: Any = "random",
) -> Evaluation:
    """Measure generated images against those that a model was trained on.

    Args:
        generated, train: uint8 (n, H, W, C); 4 channels with straight alpha.
        held_out: uint8 (n, H, W, C), images that were not trained on; None or empty for none.
        network: what `features.load_network` takes.

    Raises:
        ArgumentError: the network cannot be used, or there are too few images.
    """
    network = load_network(network)
    held_out = train[:0] if held_out is None else held_out
    copies = memorization(generated, train, held_out)
    real = features(train[evenly(len(train), MAX_REAL)], network)
    scaled = scaling(real)
    real, fake = scaled(real), scaled(features(generated, network))
    if len(held_out):
        floor = _estimates(
            real, scaled(features(held_out[evenly(len(held_out), MAX_REAL)], network)), network.name
        )
    else:
        reason = "no images are held out"
        floor = {name: withheld(name, len(real), 0, network.name, reason) for name in NAMES}
    estimates = _estimates(real, fake, network.name)
    share = variance_share(generated, train)
    return Evaluation(estimates, floor, copies, share, network.name, generated, train)


def compare(
    first: np.ndarray, second: np.ndarray, train: np.ndarray, network: Any = "random"
) -> Comparison:
    """Say which of two sets of generated images is nearer to the same real ones.

    Args:
        first, second, train: uint8 (n, H, W, C).
        network: what `features.load_network` takes.

    Raises:
        ArgumentError: the network cannot be used.
    """
    network = load_network(network)
    real = features(train[evenly(len(train), MAX_REAL)], network)
    scaled = scaling(real)
    real, name = scaled(real), network.name
    one, two = (scaled(features(images, network)) for images in (first, second))
    difference = kid_difference(real, one, two, name)
    return Comparison(kid(real, one, name), kid(real, two, name), difference)


def _estimates(real: np.ndarray, fake: np.ndarray, network: str) -> dict[str, Estimate]:
    """Those of `NAMES`; the last four from equal counts, on which their meaning depends."""
    count = min(len(real), len(fake))
    ours, theirs = real[evenly(len(real), count)], fake[evenly(len(fake), count)]
    shares = manifold_estimates(ours, theirs, network)
    return dict(
        zip(NAMES, (kid(real, fake, network), fid(real, fake, network), *shares), strict=True)
    )
