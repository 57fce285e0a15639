"""The fastest convolution and matrix product of this machine, by precision.

    KERAS_BACKEND=tensorflow python -m benchmarks peak

The operations are Keras's, so the limit is that of the backend that trains.
"""

import argparse
import time

import keras
import numpy as np
from keras import ops

PRECISIONS = ("float32", "bfloat16")

# (images, side, channels in, filters, kernel, stride): typical of DCGANs
CONVOLUTIONS = (
    (64, 32, 64, 128, 4, 2),
    (64, 16, 128, 256, 4, 2),
    (64, 8, 256, 512, 4, 2),
    (32, 32, 128, 128, 3, 1),
    (32, 16, 256, 256, 3, 1),
)
MATRICES = ((1024, 2048, 2048), (2048, 1024, 1024))
REPEATS = 2  # of a shape in a row

_arguments: dict = {}  # tensors by shape and precision, made once


def convolution_peak(precision: str, scale: float = 1) -> float:
    """Operations per second of the fastest shape.

    Args:
        precision: "float32" or "bfloat16".
        scale: factor of the number of images: 32 fills a large GPU, 1 / 32 is enough for a trial.
    """
    best = 0.0
    for images, side, channels, filters, kernel, stride in CONVOLUTIONS:
        images = max(1, round(images * scale))
        x, kernels = _tensors(
            precision, (images, side, side, channels), (kernel, kernel, channels, filters)
        )
        options = {"strides": stride, "padding": "same", "data_format": "channels_last"}
        seconds = _seconds(lambda x=x, k=kernels, o=options: ops.conv(x, k, **o))
        pixels = images * (side // stride) ** 2
        best = max(best, 2 * kernel**2 * channels * filters * pixels / seconds)
    return best


def matmul_peak(precision: str, scale: float = 1) -> float:
    """Operations per second of the fastest product; arguments as for `convolution_peak`."""
    best = 0.0
    for rows, inner, columns in MATRICES:
        rows = max(1, round(rows * scale))
        x, y = _tensors(precision, (rows, inner), (inner, columns))
        seconds = _seconds(lambda x=x, y=y: ops.matmul(x, y))
        best = max(best, 2 * rows * inner * columns / seconds)
    return best


def _tensors(precision: str, *shapes: tuple[int, ...]) -> list:
    key = (precision, shapes)
    if key not in _arguments:
        random = np.random.default_rng(0)
        arrays = [random.standard_normal(shape, np.float32) for shape in shapes]
        _arguments[key] = [ops.cast(ops.convert_to_tensor(array), precision) for array in arrays]
    return _arguments[key]


def _seconds(operation) -> float:
    """Shortest time of one operation out of a few, after one to warm up."""
    _finish(operation())
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for _ in range(REPEATS):
            result = operation()
        _finish(result)
        times.append((time.perf_counter() - start) / REPEATS)
    return min(times)


def _finish(tensor) -> None:
    """Wait for the tensor: a GPU returns before it has computed it."""
    ops.convert_to_numpy(ops.ravel(tensor)[:1])


def main(argv: list[str] | None = None) -> int:
    """Print both for each precision; returns the exit status."""
    description = __doc__.splitlines()[0]
    argparse.ArgumentParser("python -m benchmarks peak", description=description).parse_args(argv)
    print(f"Keras {keras.__version__} on {keras.backend.backend()}")
    for name in PRECISIONS:
        convolution, product = convolution_peak(name) / 1e9, matmul_peak(name) / 1e9
        print(f"{name}: convolution {convolution:,.0f} GFLOP/s, matmul {product:,.0f} GFLOP/s")
    return 0
