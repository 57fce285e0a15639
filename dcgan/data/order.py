"""The order of the images and the choice of held-out ones, as functions of seed, epoch and name."""

import hashlib

import numpy as np


def epoch_order(count: int, seed: int, epoch: int, positions: int) -> tuple[np.ndarray, np.ndarray]:
    """Which image stands at each position of an epoch, and whether it is flipped there.

    Only Philox's raw numbers are used: NumPy keeps those in all versions, but not its shuffles.

    Args:
        count: how many images there are.
        seed, epoch: what decides the order.
        positions: how many are asked for; beyond `count` the order starts again, so that the last
            batch of an epoch is full and a folder smaller than a batch trains.

    Returns:
        image indices, int64 (positions,), and flip flags, bool (positions,).
    """
    numbers = _raw(seed, epoch)
    order = np.argsort(numbers.random_raw(count), kind="stable")
    flipped = (numbers.random_raw(positions) & 1).astype(bool)
    return order[np.arange(positions) % count], flipped


def split(
    names: list[str], seed: int, share: float = 0.1, at_least: int = 20
) -> tuple[np.ndarray, np.ndarray]:
    """Set aside some images that are never trained on, to tell copying from generalizing.

    `share` of the images is held out, but at least `at_least`. Where that would take more than a
    quarter of them (fewer than 80 images, by default), all are trained on and none is held out.
    An image's name decides, so that hardly one changes sides when others are added.

    Returns:
        indices to train on and indices held out, each sorted int64; together those of all `names`.
    """
    count = len(names)
    held_out = max(at_least, round(share * count))
    if held_out * 4 > count:
        return np.arange(count), np.arange(0)
    digests = [hashlib.sha256(f"{seed} {name}".encode(errors="surrogatepass")) for name in names]
    drawn = np.argsort([digest.digest() for digest in digests], kind="stable")
    return np.sort(drawn[held_out:]), np.sort(drawn[:held_out])


def _raw(seed: int, epoch: int) -> np.random.Philox:
    return np.random.Philox(key=np.array([seed % 2**64, epoch], np.uint64))
