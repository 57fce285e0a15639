"""In which order are the pictures shown? A pure function of seed and epoch, on every machine."""

import numpy as np


def epoch_order(count: int, seed: int, epoch: int, positions: int) -> tuple[np.ndarray, np.ndarray]:
    """Which picture stands at each position of an epoch, and whether it is mirrored there.

    Only the raw numbers of Philox are used: NumPy promises those for ever, but not its shuffles.

    Args:
        count: how many pictures there are.
        seed, epoch: what decides the order.
        positions: how many are asked for; beyond `count` the order starts again, so that the last
            batch of an epoch is full and a folder smaller than a batch trains.

    Returns:
        picture indices, int64 (positions,), and mirror flags, bool (positions,).
    """
    numbers = _raw(seed, epoch)
    order = np.argsort(numbers.random_raw(count), kind="stable")
    mirrored = (numbers.random_raw(positions) & 1).astype(bool)
    return order[np.arange(positions) % count], mirrored


def split(
    count: int, seed: int, share: float = 0.1, at_least: int = 20
) -> tuple[np.ndarray, np.ndarray]:
    """Set aside some pictures that are never trained on, to tell copying from generalising.

    `share` of the pictures is held out, but at least `at_least`. Where that would take more than a
    quarter of them (fewer than 80 pictures, by default), all are trained on and none is held out.

    Returns:
        indices to train on and indices held out, each sorted int64; together all of `range(count)`.
    """
    held_out = max(at_least, round(share * count))
    if held_out * 4 > count:
        return np.arange(count), np.arange(0)
    # An epoch that no run reaches: the split must not be the start of some epoch's order.
    shuffled = np.argsort(_raw(seed, 2**64 - 1).random_raw(count), kind="stable")
    return np.sort(shuffled[held_out:]), np.sort(shuffled[:held_out])


def _raw(seed: int, epoch: int) -> np.random.Philox:
    return np.random.Philox(key=np.array([seed % 2**64, epoch], np.uint64))
