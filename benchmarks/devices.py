"""Several devices on paper: bytes exchanged against operations computed, and what follows.

    python -m benchmarks devices                         # 20 TFLOP/s per device
    python -m benchmarks devices --flops 60e12 --batch 64
    python -m benchmarks devices --measure               # the bytes, of two virtual JAX devices
    python -m benchmarks devices --train                 # on virtual devices, against one device
    python -m benchmarks devices --cost                  # of a distribution over one device

Each device computes its share of a batch, then all add up the gradients of both networks: a ring
all-reduce sends 2 (n - 1) / n of the gradients' bytes from every device (Patarasuk and Yuan 2009,
section 3). XLA adds up the discriminator's twice, those from real and those from generated images.
BatchNorm adds up two numbers per channel forward and two backward. Nothing is assumed to overlap,
so that the efficiencies are lower bounds: time on one device over time on n devices, with the same
batch on each.
"""

import argparse
import json
import os
import subprocess
import sys

from benchmarks import together
from benchmarks.flops import step_flops
from dcgan.networks.plan import Plan, weight_shapes
from dcgan.networks.presets import preset_options
from dcgan.networks.resolve import resolve
from dcgan.options import Options

FLOAT = 4  # bytes of a gradient: weights are float32 in every precision
PASSES = {"generator": 1, "discriminator": 3}  # forward passes of a step, each with its BatchNorm
LINKS = {"10 Gbit/s Ethernet": 1.25e9, "PCIe 4.0 x16": 25e9, "NVLink 4": 400e9}  # bytes/s one way
COUNTS = (2, 8, 64)
MOVING = ("moving_mean", "moving_variance")


def main(argv: list[str] | None = None) -> int:
    """Print a table for each of two networks."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks devices",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--flops", type=float, default=20e12, help="per second and device")
    parser.add_argument("--batch", type=int, default=64, help="images per device and step")
    parser.add_argument("--measure", action="store_true", help="compare with what XLA compiles")
    parser.add_argument("--cost", action="store_true", help="time one device with and without")
    parser.add_argument(
        "--train", action="store_true", help="train on virtual devices, and compare"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the trainings")
    given = parser.parse_args(argv)
    if given.train:
        together.main(given.seed)
        return 0
    if given.cost:
        times = measured("cost", "dcgan-64", str(given.batch))
        ratio = times["with"] / times["without"] - 1
        print(f"dcgan-64, batch {given.batch}, JAX: {times['without'] * 1e3:.2f} ms per step,")
        print(f"{times['with'] * 1e3:.2f} ms with a distribution over one device: {ratio:+.1%}")
        return 0
    plans = {
        "dcgan-64": resolve(Options(**preset_options("dcgan-64", "own", {})))[1],
        "default at 256x256": resolve(Options(img_size=(256, 256, 3)))[1],
    }
    for name, plan in plans.items():
        seconds = step_flops(plan, given.batch, one_stage=False) / given.flops
        exchanged = exchanged_bytes(plan)
        print(f"\n{name}: {exchanged / 1e6:.1f} MB of gradients and BatchNorm sums per step,")
        print(f"{seconds * 1e3:.2f} ms of computing for {given.batch} images per device\n")
        if given.measure:
            found = measured("bytes", name)
            print(
                f"XLA compiles {found / 1e6:.1f} MB for two devices: {found / exchanged - 1:+.1%}\n"
            )
        print("| link | " + " | ".join(f"{n} devices" for n in COUNTS) + " |")
        print("|---|" + "---:|" * len(COUNTS))
        for link, speed in LINKS.items():
            shares = [efficiency(exchanged, seconds, speed, n) for n in COUNTS]
            print(f"| {link} | " + " | ".join(f"{share:.0%}" for share in shares) + " |")
    return 0


def measured(*words: str):
    """What `benchmarks.divided` finds, with JAX and two virtual devices where there is no GPU."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.divided", *words],
        env={**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": flags},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def exchanged_bytes(plan: Plan) -> int:
    """Bytes that all devices must add up in one step."""
    total = 0
    for network, passes in PASSES.items():
        for name, shape in weight_shapes(plan, network).items():
            numbers = 1
            for side in shape:
                numbers *= side
            # a moving statistic is no gradient: it stands for a sum forward and one backward
            gradients = 2 if network == "discriminator" else 1
            total += FLOAT * numbers * (2 * passes if name.endswith(MOVING) else gradients)
    return total


def efficiency(exchanged: float, seconds: float, speed: float, devices: int) -> float:
    """Share of the devices' time spent on computing, where nothing overlaps."""
    return seconds / (seconds + 2 * (devices - 1) / devices * exchanged / speed)
