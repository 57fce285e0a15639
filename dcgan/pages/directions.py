"""Directions in the latents along which a generator changes most (Härkönen et al. 2020)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from dcgan.latents import draw_latents

LATENTS = 10_000
CHUNK = 500  # latents at a time: 10,000 outputs of a first layer would be gigabytes
SPARE = 8  # more components than asked for, so that those asked for are accurate
POWER_STEPS = 4  # Halko et al. 2011, arXiv 0909.4061, algorithm 4.4


@dataclass(frozen=True)
class Directions:
    """The strongest directions, the first of them the strongest.

    Attributes:
        steps: float32 `(count, input_size)`; added to a latent, it moves by a standard deviation.
        shares: float64 `(count,)`: of the first layer's variance that each explains, 0 to 1.
    """

    steps: np.ndarray
    shares: np.ndarray


def first_layer(generator: Any) -> Callable[[np.ndarray], np.ndarray]:
    """The function from latents `(n, input_size)` to the first layer's output `(n, units)`.

    It is the dense layer with its normalization and activation: what the first upsampling receives.
    """
    import keras  # takes seconds, and what only looks at arrays has no need of it

    last = [layer for layer in generator.layers if layer.name.startswith("base")][-1]
    part = keras.Model(generator.input, last.output)

    def output(latents: np.ndarray) -> np.ndarray:
        return np.asarray(part.predict_on_batch(latents), np.float32).reshape(len(latents), -1)

    return output


def find_directions(
    output: Callable[[np.ndarray], np.ndarray], input_size: int, count: int = 8
) -> Directions:
    """Principal components of the first layer's output over 10,000 latents, as latents.

    A component is found where the output is, and moved to the latents by linear regression
    (Härkönen et al. 2020, arXiv 2004.02546, section 2.3). The output is computed again in each of a
    few passes rather than kept.

    Args:
        output: latents `(n, input_size)` to float32 `(n, units)`; see `first_layer`.
        input_size: length of a latent.
        count: how many; at most `input_size` are found.
    """
    latents = draw_latents(LATENTS, input_size)

    def centered(mean: np.ndarray | float) -> Iterator[tuple[slice, np.ndarray]]:
        for first in range(0, LATENTS, CHUNK):
            rows = slice(first, min(first + CHUNK, LATENTS))
            yield rows, output(latents[rows]) - mean

    mean = sum(part.sum(0) for _, part in centered(0.0)) / np.float32(LATENTS)
    count = min(count, input_size, len(mean))
    width = min(count + SPARE, input_size, len(mean))
    mixing = draw_latents(LATENTS, width, seed=1)
    variance = 0.0
    basis = np.zeros((len(mean), width), np.float32)
    for rows, part in centered(mean):
        basis += part.T @ mixing[rows]
        variance += float(np.square(part, dtype=np.float64).sum())
    for _ in range(POWER_STEPS):
        basis, _ = np.linalg.qr(basis)
        parts = (part.T @ (part @ basis) for _, part in centered(mean))
        basis = sum(parts, np.zeros_like(basis))
    basis, _ = np.linalg.qr(basis)
    coordinates = np.concatenate([part @ basis for _, part in centered(mean)])
    left, strengths, _ = np.linalg.svd(coordinates.astype(np.float64), full_matrices=False)
    # Columns of `left` are the coordinates in units of one standard deviation over sqrt(n)
    steps = (left[:, :count].T @ latents) / np.sqrt(LATENTS)
    largest = steps[np.arange(count), np.abs(steps).argmax(1)]
    steps *= np.where(largest < 0, -1, 1)[:, None]  # a component has no sign of its own
    return Directions(steps.astype(np.float32), np.square(strengths[:count]) / max(variance, 1e-12))
