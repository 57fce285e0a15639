"""Speed and memory of reading images: the first decode, the second start, and each batch.

Makes its own images in a temporary folder, and prints each result with its target beside it.
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from benchmarks.rounds import ROOT, resident, seconds_of
from dcgan.data.batches import Batches
from dcgan.data.cache import clear_cache
from dcgan.data.decode import decode_file
from dcgan.data.image_set import open_images
from dcgan.data.sample_set import draw_seascapes
from dcgan.data.target import Target
from dcgan.data.workers import available_cores

SIZE = (150, 150, 3)
BATCH_SIZE = 32
ROUNDS = 5


def main(argv: list[str] | None = None) -> int:
    """Measure, and print a line for each result; returns the exit status."""
    parser = argparse.ArgumentParser("python -m benchmarks data", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the images")
    parser.add_argument("--memory", help=argparse.SUPPRESS)  # the folder, in a process of its own
    parser.add_argument("--many", type=int, help="decode so many tiny images, and 4 times as many")
    arguments = parser.parse_args(argv)
    if arguments.memory:
        measure_memory(arguments.memory)
        return 0
    if arguments.many:
        measure_growth(arguments.many)
        return 0
    scale = 10 if arguments.quick else 1
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["DCGAN_CACHE"] = str(Path(temporary, "cache"))
        small = make_small(Path(temporary, "small"), 20_000 // scale)
        print(f"{available_cores()} cores, {len(list(small.iterdir())):,} JPEGs of 150 x 150")
        compare_first_decode(small)
        measure_second_start(small)
        compare_large(make_large(Path(temporary, "large"), 20 // min(scale, 2)))
        os.environ["DCGAN_CACHE"] = str(Path(temporary, "other"))  # so that it decodes as well
        command = [sys.executable, "-m", "benchmarks", "data", "--memory", str(small)]
        subprocess.run(command, check=True, cwd=ROOT)
    return 0


def make_small(folder: Path, count: int) -> Path:
    """150-pixel JPEGs with the detail of photographs: 100 are drawn and written again and again."""
    folder.mkdir(exist_ok=True)
    noise = np.random.default_rng(0).normal(0, 12, (100, *SIZE))
    images = np.clip(draw_seascapes(100, SIZE) + noise, 0, 255).astype(np.uint8)
    contents = []
    for image in images:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=80)
        contents.append(buffer.getvalue())
    for index in range(count):
        (folder / f"{index:05}.jpg").write_bytes(contents[index % len(contents)])
    return folder


def make_large(folder: Path, count: int) -> Path:
    """12-megapixel JPEGs, as a phone takes them."""
    folder.mkdir()
    grain = np.random.default_rng(0).normal(0, 6, (3000, 4000, 1))
    for index, image in enumerate(draw_seascapes(4, (300, 400, 3))):
        enlarged = Image.fromarray(image).resize((4000, 3000), Image.Resampling.BICUBIC)
        full = Image.fromarray(np.clip(enlarged + grain, 0, 255).astype(np.uint8))
        full.save(folder / f"{index:03}.jpg", quality=90)
    for index in range(4, count):
        (folder / f"{index:03}.jpg").write_bytes((folder / f"{index % 4:03}.jpg").read_bytes())
    return folder


def plain_pillow(path: Path) -> np.ndarray:
    """Decode a file as a short script would."""
    with Image.open(path) as image:
        image = image.convert("RGB")
        if image.size != (SIZE[1], SIZE[0]):
            image = image.resize((SIZE[1], SIZE[0]), Image.Resampling.LANCZOS)
        return np.asarray(image)


def compare_first_decode(folder: Path) -> None:
    """Time our decoding with an empty cache against a short script."""
    paths = sorted(folder.iterdir())
    plain, ours = [], []
    for _ in range(ROUNDS):
        clear_cache()
        plain.append(seconds_of(lambda: [plain_pillow(path) for path in paths]))
        ours.append(seconds_of(lambda: open_images(folder, SIZE, verbose=0)))
    ratio = median(one / other for one, other in zip(plain, ours, strict=True))
    print(
        f"first decode: {ratio:.2f} times one plain Pillow process (target on two cores 1.7), "
        f"{ROUNDS} rounds: {median(plain):.1f} s / {median(ours):.1f} s"
    )


def compare_large(folder: Path) -> None:
    """Time decoding large JPEGs straight to a small size against decoding them in full."""
    paths, target = sorted(folder.iterdir()), Target(*SIZE)
    plain = seconds_of(lambda: [plain_pillow(path) for path in paths])
    ours = seconds_of(lambda: [decode_file(str(path), target) for path in paths])
    print(
        f"12-megapixel JPEGs: {plain / ours:.2f} times a full decode, one process each (target 3): "
        f"{1000 * plain / len(paths):.0f} ms / {1000 * ours / len(paths):.0f} ms per image"
    )


def measure_second_start(folder: Path) -> None:
    """Time from the call to the first batch, in a process that has not opened the folder before."""
    program = (
        "import sys, time; from dcgan.data.image_set import open_images\n"
        "from dcgan.data.batches import Batches\n"
        "start = time.perf_counter()\n"
        f"images = open_images(sys.argv[1], {SIZE})\n"
        f"Batches(images.pixels, {BATCH_SIZE})[0]\n"
        "print(f'second start, to the first batch: {time.perf_counter() - start:.2f} s for '\n"
        "      f'{len(images):,} images (target 1 s)', flush=True)"
    )
    subprocess.run([sys.executable, "-c", program, str(folder)], check=True, cwd=ROOT)


def measure_memory(folder: str) -> None:
    """Memory that opening and reading every image once adds to this process; time per batch."""
    before = resident()
    images = open_images(folder, SIZE, verbose=0)
    batches = Batches(images.pixels, BATCH_SIZE, horizontal_flip=True)
    peak = resident()
    start = time.perf_counter()
    for step in range(batches.steps_per_epoch):
        batches[step]
        if step % 50 == 0:
            peak = max(peak, resident())
    milliseconds = 1000 * (time.perf_counter() - start) / batches.steps_per_epoch
    print(
        f"memory: {(peak - before) / 1e6:.0f} MB added by decoding {len(images):,} images "
        f"({images.pixels.nbytes / 1e6:,.0f} MB of pixels) and reading each once (target 300 MB)"
    )
    from benchmarks import ours  # now, since a framework takes memory

    ours.build("default", img_size=SIZE, batch_size=BATCH_SIZE)
    step = 1000 * median(ours.steps("default", 3) for _ in range(ROUNDS))
    print(
        f"a batch of {BATCH_SIZE} flipped images: {milliseconds:.2f} ms, "
        f"{milliseconds / step:.1%} of a training step of the default network (target 2 %)"
    )


def measure_growth(count: int) -> None:
    """Time and memory of the first decode of so many tiny JPEGs, and of four times as many."""
    program = (
        "import resource, sys, time; from dcgan.data.image_set import open_images\n"
        "peak = lambda who: resource.getrusage(who).ru_maxrss / 1024\n"
        "before, start = peak(resource.RUSAGE_SELF), time.perf_counter()\n"
        "images = open_images(sys.argv[1], (32, 32, 3), verbose=0)\n"
        "seconds = time.perf_counter() - start\n"
        "print(f'{len(images):,} images: {seconds:.1f} s, '\n"
        "      f'{peak(resource.RUSAGE_SELF) - before:.0f} MB added, '\n"
        "      f'{peak(resource.RUSAGE_CHILDREN):.0f} MB in the largest worker')"
    )
    buffer = io.BytesIO()
    Image.fromarray(draw_seascapes(1, (32, 32, 3))[0]).save(buffer, "JPEG")
    for number in (count, 4 * count):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary, "images")
            folder.mkdir()
            for index in range(number):
                (folder / f"{index:07}.jpg").write_bytes(buffer.getvalue() + b"%d" % index)
            environment = os.environ | {"DCGAN_CACHE": str(Path(temporary, "cache"))}
            command = [sys.executable, "-c", program, str(folder)]
            subprocess.run(command, check=True, cwd=ROOT, env=environment)
