"""Is training going well? A state in a word and a sentence, from a stream of measurements."""

import math
from dataclasses import asdict, dataclass

from dcgan.errors import ArgumentError

YOUNG = 4  # measurements in which noise and sameness are normal; only broken numbers are named
PERSISTENCE = 3  # measurements in a row before an illness is named: one may be chance
PATIENCE = 10  # measurements without a better KID before training counts as stalled or done
# Ten images over and over, slightly noisy, have 5 % of the variety of 200 photographs or digits;
# blurred draws from a Gaussian fitted to the real pixels have over 40 %.
VARIETY_LEAST = 0.25
GROWING = 1.2  # variety that has grown by a fifth within the persistence is on its way up
D_SURE = 0.95  # D's mean score: real images above it and generated ones below 1 - it
# How far D takes held-out images for generated ones: 0 not at all, 1 as much as generated ones
# (r_v in Karras et al. 2020, arXiv 2006.06676, section 3.1).
OVERFIT_MOST = 0.9
MEMORISED_MOST = 0.25  # about 5 % is chance for this and the next
# Photographs that are blurred, or have 0.7 of the contrast, have up to 48 %; augmented ones, at
# half strength or full, 90 %.
LEAK_MOST = 0.5
BETTER = 0.02  # share by which KID must fall to count as better: less is noise
DONE_SHARE = 0.05  # of the first KID: what is left of the way when it may be called done
STATES = (
    "learning",
    "discriminator winning",
    "collapsing",
    "memorizing",
    "leaking augmentation",
    "stalled",
    "done",
    "broken",
)


@dataclass(frozen=True)
class Measurement:
    """What was measured at one step; None is what was not.

    Args:
        step: training steps so far.
        variety: the samples' variety as a share of the real images' (`variety.variety`).
        d_real, d_held_out, d_fake: D's mean score, in [0, 1], on training, held-out and generated
            images; 1 is "real".
        kid: against held-out images (or training ones, but always the same).
        memorized: share of samples nearer to a training image than 95 % of others are
            (`memorization.Memorization.share`).
        copying: whether that share is no accident (`memorization.Memorization.copying`).
        leaked: share of samples that look augmented where 5 % of real images do.
        finite: whether losses and weights are finite numbers.
    """

    step: int
    variety: float | None = None
    d_real: float | None = None
    d_held_out: float | None = None
    d_fake: float | None = None
    kid: float | None = None
    memorized: float | None = None
    copying: bool = True
    leaked: float | None = None
    finite: bool = True

    @property
    def varied(self) -> bool:
        """Whether the samples are more than a few kinds, as far as that was measured."""
        return self.variety is None or self.variety >= VARIETY_LEAST


@dataclass(frozen=True)
class Diagnosis:
    """The state of a run: `word`, one of `STATES`, and a `sentence` with the numbers."""

    word: str
    sentence: str

    @property
    def ill(self) -> bool:
        """Whether something should be done about it."""
        return self.word not in ("learning", "stalled", "done")


class Health:
    """Follows a run and names its state after each measurement.

    An illness is named once it shows in several measurements in a row, and not among the first.

    Example:
        >>> Health().update(Measurement(500, variety=0.4, kid=0.9)).word
        'learning'
    """

    def __init__(self):
        self._recent: list[Measurement] = []
        self._count = 0
        self._first_kid: float | None = None
        self._best_kid: float | None = None
        self._best_step = 0
        self._best_varied = False
        self._since_best = 0

    @property
    def best_step(self) -> int:
        """The step of the lowest KID so far, among those with variety if any had; 0 before any."""
        return self._best_step

    @property
    def best_varied(self) -> bool:
        """Whether the samples had variety at that step: a state worth going back to."""
        return self._best_varied

    def update(self, measurement: Measurement) -> Diagnosis:
        """Take in one more measurement, and say what state the run is in."""
        if not measurement.finite or not _all_finite(measurement):
            return Diagnosis(
                "broken", f"losses, weights or figures are not finite at step {measurement.step}."
            )
        self._count += 1
        self._recent = [*self._recent, measurement][-PERSISTENCE:]
        self._follow_kid(measurement)
        if self._count >= YOUNG and len(self._recent) == PERSISTENCE:
            for name in (self._collapse, self._winning, self._memorizing, self._leaking):
                diagnosis = name()
                if diagnosis is not None:
                    return diagnosis
        return self._progress()

    def state_dict(self) -> dict:
        """All that `load_state_dict` needs, as plain JSON values."""
        return {
            "recent": [asdict(measurement) for measurement in self._recent],
            "count": self._count,
            "first_kid": self._first_kid,
            "best_kid": self._best_kid,
            "best_step": self._best_step,
            "best_varied": self._best_varied,
            "since_best": self._since_best,
        }

    def load_state_dict(self, state: dict) -> None:
        """Go on from what `state_dict` gave.

        Raises:
            ArgumentError: it is not such a state; nothing is changed.
        """
        try:
            state = {"best_varied": True, **state}  # runs of before did not keep it
            recent = [Measurement(**measurement) for measurement in state["recent"]]
            values = {f"_{key}": state[key] for key in self.state_dict() if key != "recent"}
        except (KeyError, TypeError) as error:
            raise ArgumentError(
                f"state must be what Health.state_dict() gave. Received: {state!r:.200}"
            ) from error
        self.__dict__.update(values, _recent=recent)

    def _follow_kid(self, measurement: Measurement) -> None:
        kid, varied = measurement.kid, measurement.varied
        if kid is None:
            return
        if self._first_kid is None:
            self._first_kid = kid
        lower = self._best_kid is None or kid < self._best_kid - BETTER * abs(self._best_kid)
        if varied > self._best_varied or (varied == self._best_varied and lower):
            self._best_kid, self._best_step, self._since_best = kid, measurement.step, 0
            self._best_varied = varied
        else:
            self._since_best += 1

    def _improving(self) -> bool:
        """Whether there was a new best within the persistence."""
        return self._best_kid is not None and self._since_best < PERSISTENCE

    def _values(self, name: str) -> list[float] | None:
        """The recent values of a measurement, or None if one is missing."""
        values = [getattr(measurement, name) for measurement in self._recent]
        return None if None in values else values

    def _values_of_varied(self, name: str) -> list[float] | None:
        """The same; None also where the samples are all alike: they look like one thing."""
        return self._values(name) if all(m.varied for m in self._recent) else None

    def _collapse(self) -> Diagnosis | None:
        values = self._values("variety")
        if values is None or max(values) >= VARIETY_LEAST or values[-1] > GROWING * values[0]:
            return None
        if self._improving():
            return None  # a slow start, not an end
        return Diagnosis(
            "collapsing", f"the samples have {values[-1]:.0%} of the real images' variety."
        )

    def _winning(self) -> Diagnosis | None:
        real, fake = self._values("d_real"), self._values("d_fake")
        if real is None or fake is None or self._improving():
            return None  # a D that is sure does no harm as long as G still learns from it
        if min(real) < D_SURE or max(fake) > 1 - D_SURE:
            return None
        return Diagnosis(
            "discriminator winning",
            f"D scores real images {real[-1]:.2f} and generated ones {fake[-1]:.2f}, "
            "and the samples do not improve: the generator has nothing left to learn from.",
        )

    def _memorizing(self) -> Diagnosis | None:
        shares = self._values_of_varied("memorized")
        sure = all(measurement.copying for measurement in self._recent)
        if shares is not None and min(shares) > MEMORISED_MOST and sure:
            return Diagnosis(
                "memorizing",
                f"{shares[-1]:.0%} of the samples are copies of training images, which is more "
                "than chance explains.",
            )
        overfit = [_overfit(measurement) for measurement in self._recent]
        if None in overfit or min(overfit) < OVERFIT_MOST or self._improving():
            return None
        last = self._recent[-1]
        return Diagnosis(
            "memorizing",
            f"D knows the training images by heart: it scores them {last.d_real:.2f}, held-out "
            f"ones {last.d_held_out:.2f} and generated ones {last.d_fake:.2f}, and the samples do "
            "not improve.",
        )

    def _leaking(self) -> Diagnosis | None:
        shares = self._values_of_varied("leaked")
        if shares is None or min(shares) <= LEAK_MOST:
            return None
        return Diagnosis(
            "leaking augmentation",
            f"{shares[-1]:.0%} of the samples look augmented, where 5% of the real images do.",
        )

    def _progress(self) -> Diagnosis:
        if self._best_kid is None:
            return Diagnosis("learning", "no illness seen; the samples' KID was not measured.")
        best = f"KID {self._best_kid:.4f} at step {self._best_step}"
        if self._since_best < PATIENCE:
            return Diagnosis("learning", f"best so far: {best}.")
        left = self._best_kid / self._first_kid if self._first_kid > 0 else 0.0
        stopped = f"no better than {best} for {self._since_best} measurements"
        if left <= DONE_SHARE:
            return Diagnosis("done", f"{stopped}; {max(left, 0):.1%} of the first KID is left.")
        return Diagnosis("stalled", f"{stopped}, and {left:.0%} of the first KID is left.")


def _overfit(measurement: Measurement) -> float | None:
    """How far from real towards generated D puts held-out images; None where it cannot tell."""
    scores = (measurement.d_real, measurement.d_held_out, measurement.d_fake)
    if None in scores or scores[0] - scores[2] < 0.1:  # D tells nothing apart: no scale
        return None
    return (scores[0] - scores[1]) / (scores[0] - scores[2])


def _all_finite(measurement: Measurement) -> bool:
    values = asdict(measurement).values()
    return all(value is None or math.isfinite(value) for value in values)
