"""The status of a training, in a word and a sentence, from a series of measurements."""

from dataclasses import dataclass, field

from dcgan.metrics.variety import MIN_VARIETY

YOUNG = 4  # measurements in which noise and little variety are normal
PERSISTENCE = 3  # measurements in a row before a problem is named: one may be chance
PATIENCE = 10  # measurements without a better KID before training counts as stalled or done
GROWING = 1.2  # variety that has grown by a fifth within the persistence is on its way up
D_SURE = 0.95  # D's mean score: real images above it and generated ones below 1 - it
# How far D takes held-out images for generated ones: 0 not at all, 1 as much as generated ones
# (r_v in Karras et al. 2020, arXiv 2006.06676, section 3.1).
MAX_OVERFIT = 0.9
MAX_MEMORIZED = 0.25  # about 5 % is chance for this and the next
# Photographs that are blurred, or have 0.7 of the contrast, have up to 48 %; augmented ones, at
# half strength or full, 90 %.
MAX_LEAKED = 0.5
BETTER = 0.02  # share by which KID must fall to count as better: less is noise
DONE_SHARE = 0.05  # of the first KID: what is left of the way when it may be called done
STATUSES = (
    "learning",
    "discriminator winning",
    "collapsing",
    "memorizing",
    "leaking augmentation",
    "stalled",
    "done",
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

    @property
    def varied(self) -> bool:
        """Whether the samples are more than a few kinds, as far as that was measured."""
        return self.variety is None or self.variety >= MIN_VARIETY


@dataclass(frozen=True)
class Diagnosis:
    """The status of a run, one of `STATUSES`, and a `sentence` with the numbers."""

    status: str
    sentence: str

    @property
    def is_problem(self) -> bool:
        """Whether something should be done about it."""
        return self.status not in ("learning", "stalled", "done")


@dataclass
class Health:
    """Follows a run and names its status after each measurement.

    A problem is named once it shows in several measurements in a row, and not among the first.

    Attributes:
        recent: the last measurements.
        count: how many there were.
        first_kid, best_kid: the first KID and the lowest so far, or None.
        best_step: the step of the lowest KID, among those with variety if any had; 0 before any.
        best_varied: whether the samples had variety at that step.
        since_best: measurements since then.
        measured_on: fingerprint of the real images that KID is measured against.

    Examples:
        >>> Health().update(Measurement(500, variety=0.4, kid=0.9)).status
        'learning'
    """

    recent: list[Measurement] = field(default_factory=list)
    count: int = 0
    first_kid: float | None = None
    best_kid: float | None = None
    best_step: int = 0
    best_varied: bool = False
    since_best: int = 0
    measured_on: str = ""

    def estimates(self) -> dict[str, float]:
        """rKID and variety as last measured, for Keras's logs; empty before that."""
        latest = self.recent[-1] if self.recent else Measurement(0)
        found = {"rkid": latest.kid, "variety": latest.variety}
        return {name: float(value) for name, value in found.items() if value is not None}

    def update(self, measurement: Measurement) -> Diagnosis:
        """Take in one more measurement, and say what status the run has."""
        self.count += 1
        self.recent = [*self.recent, measurement][-PERSISTENCE:]
        self._follow_kid(measurement)
        if self.count >= YOUNG and len(self.recent) == PERSISTENCE:
            for find in (self._collapse, self._winning, self._memorizing, self._leaking):
                diagnosis = find()
                if diagnosis is not None:
                    return diagnosis
        return self._progress()

    def start_anew(self) -> None:
        """Start the series anew; the best KID stays what later ones are compared with."""
        self.recent, self.count, self.since_best = [], 0, 0

    def expect_more(self) -> None:
        """Do not call the training stalled or done, since larger networks follow."""
        self.since_best = min(self.since_best, PATIENCE - 2)

    def _follow_kid(self, measurement: Measurement) -> None:
        kid, varied = measurement.kid, measurement.varied
        if kid is None:
            return
        if self.first_kid is None:
            self.first_kid = kid
        lower = self.best_kid is None or kid < self.best_kid - BETTER * abs(self.best_kid)
        if varied > self.best_varied or (varied == self.best_varied and lower):
            self.best_kid, self.best_step, self.since_best = kid, measurement.step, 0
            self.best_varied = varied
        else:
            self.since_best += 1

    def _improving(self) -> bool:
        """Whether there was a new best within the persistence."""
        return self.best_kid is not None and self.since_best < PERSISTENCE

    def _values(self, name: str) -> list[float] | None:
        """The recent values of a measurement, or None if one is missing."""
        values = [getattr(measurement, name) for measurement in self.recent]
        return None if None in values else values

    def _values_of_varied(self, name: str) -> list[float] | None:
        """The same; None also where the samples are all alike: they look like one thing."""
        return self._values(name) if all(m.varied for m in self.recent) else None

    def _collapse(self) -> Diagnosis | None:
        values = self._values("variety")
        if values is None or max(values) >= MIN_VARIETY or values[-1] > GROWING * values[0]:
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
        sure = all(measurement.copying for measurement in self.recent)
        if shares is not None and min(shares) > MAX_MEMORIZED and sure:
            return Diagnosis(
                "memorizing",
                f"{shares[-1]:.0%} of the samples are copies of training images, which is more "
                "than chance explains.",
            )
        overfit = [_overfit(m.d_real, m.d_held_out, m.d_fake) for m in self.recent]
        if min(overfit) < MAX_OVERFIT or self._improving():
            return None
        last = self.recent[-1]
        return Diagnosis(
            "memorizing",
            f"The discriminator overfits: it scores training images {last.d_real:.2f}, held-out "
            f"ones {last.d_held_out:.2f} and generated ones {last.d_fake:.2f}, and the samples do "
            "not improve.",
        )

    def _leaking(self) -> Diagnosis | None:
        shares = self._values_of_varied("leaked")
        if shares is None or min(shares) <= MAX_LEAKED:
            return None
        return Diagnosis(
            "leaking augmentation",
            f"{shares[-1]:.0%} of the samples look augmented, where 5% of the real images do.",
        )

    def _progress(self) -> Diagnosis:
        if self.best_kid is None:
            return Diagnosis("learning", "no problem was found; the samples' KID was not measured.")
        best = f"KID {self.best_kid:.3g} at step {self.best_step:,}"
        if self.since_best < PATIENCE:
            return Diagnosis("learning", f"lowest {best}.")
        first = self.first_kid or 0.0
        left = self.best_kid / first if first > 0 else 0.0
        stopped = f"no better than {best} for {self.since_best} measurements"
        if left <= DONE_SHARE:
            return Diagnosis("done", f"{stopped}; {max(left, 0):.1%} of the first KID is left.")
        return Diagnosis("stalled", f"{stopped}, and {left:.0%} of the first KID is left.")


def _overfit(real: float | None, held_out: float | None, fake: float | None) -> float:
    """How far from real (0) to generated (1) D scores held-out images; 0 where it is unclear."""
    if real is None or held_out is None or fake is None or real - fake < 0.1:
        return 0.0
    return (real - held_out) / (real - fake)
