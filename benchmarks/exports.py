"""The exports of a model: size, largest difference from `generate`, and time, in one table.

    python -m benchmarks exports sea.dcgan

Each file is written, verified with 16 seeds and run in its own runtime on this machine, one image
at a time; a format whose runtime is missing is left out and named.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.speed import machine
from dcgan import DCGAN, ArgumentError
from dcgan.export import runtimes
from dcgan.export.formats import FORMATS
from dcgan.latents import draw_latents

TIMES = 20  # of which the median counts
RUNTIMES = {
    "onnx": "ONNX Runtime",
    "litert": "LiteRT",
    "savedmodel": "TensorFlow",
    "keras": "Keras",
    "h5": "Keras",
    "web": "Chromium",
}
IN_PAGE = """Array.from({ length: %d }, () => {
  const latent = drawLatent(7, model.inputSize), start = performance.now();
  toLevels(latent);
  return performance.now() - start;
})"""


def main(argv: list[str] | None = None) -> int:
    """Export, measure and print the table; returns the exit status."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks exports", description=__doc__.splitlines()[0]
    )
    parser.add_argument("model", help="a .dcgan file")
    parser.add_argument("--times", type=int, default=TIMES, help=f"of each run (default: {TIMES})")
    given = parser.parse_args(argv)
    gan = DCGAN.load(given.model)
    latents = draw_latents(1, gan.input_size, 7)
    print(machine(gpu=False), end="\n\n")
    size = "x".join(map(str, gan.img_size))
    print(f"A generator of {size} images with {gan.generator.count_params():,} weights.\n")
    print("| format | runs in | size, MB | largest difference, of 255 | ms per image |")
    print("|---|---|---:|---:|---:|")
    seconds = _seconds(lambda latents: gan.generate(latents=latents), latents, given.times)
    print(f"| (`generate`) | this package | | | {1000 * seconds:.1f} |")
    with tempfile.TemporaryDirectory() as folder:
        for name, ending in FORMATS.items():
            path = Path(folder) / f"generator{ending}"
            try:
                difference = gan.export(path, name)
            except ArgumentError as error:
                print(f"| {name} | {error} | | | |")
                continue
            if name == "web":
                answer = runtimes.in_browser(str(path), IN_PAGE % given.times)
                seconds = median(map(float, answer.split(","))) / 1000
            else:
                load = runtimes.load_keras if name == "h5" else getattr(runtimes, f"load_{name}")
                seconds = _seconds(load(str(path)), latents, given.times)
            files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
            megabytes = sum(file.stat().st_size for file in files) / 1e6
            cells = [f"{megabytes:.2f}", f"{difference:g}", f"{1000 * seconds:.1f}"]
            print("|", " | ".join([name, RUNTIMES[name], *cells]), "|", flush=True)
    return 0


def _seconds(run: Callable, latents: np.ndarray, times: int) -> float:
    """The median time of a call, after one that is not counted."""
    run(latents)
    found = []
    for _ in range(times):
        start = time.perf_counter()
        run(latents)
        found.append(time.perf_counter() - start)
    return median(found)
