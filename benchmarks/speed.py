"""Speed against PyTorch's own example and against the machine's limit, in one table.

    python -m benchmarks speed                # about twenty minutes on two quiet cores
    python -m benchmarks speed --only step    # one part of it
    KERAS_BACKEND=jax python -m benchmarks speed --gpu
    python -m benchmarks speed --quick        # tiny: shows that it works, its numbers mean nothing

Everything is timed in alternating rounds; results are medians. benchmarks/README.md explains each.
"""

import argparse
import datetime
import os
import platform
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from benchmarks import cost, sections, start
from benchmarks.rounds import FOLDER, Worker
from benchmarks.settings import PRECISIONS, Row, Settings, torch_is_installed

PARTS = {
    "step": sections.training_step,
    "fit": sections.fit_overhead,
    "default": sections.default_network,
    "generate": sections.generating,
    "start": start.cold_start,
    "cost": cost.growth,
}
GPU_PARTS = {name: PARTS[name] for name in ("step", "fit", "generate")}


def main(argv: list[str] | None = None) -> int:
    """Measure, and print the table; returns the exit status."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="tiny networks, one round")
    parser.add_argument("--gpu", action="store_true", help="batch 128, mixed_bfloat16, 5 ms steps")
    parser.add_argument("--only", action="append", choices=PARTS, help="a part; may be repeated")
    parser.add_argument("--precision", choices=PRECISIONS, help="of all models; default: both")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument(
        "--plot", type=Path, default=FOLDER / "cost.png", help="file of the plot of the cost"
    )
    arguments = parser.parse_args(argv)
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    if arguments.gpu and os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
        print("KERAS_BACKEND=jax or torch is the usual choice on a GPU.", file=sys.stderr)
    parts = GPU_PARTS if arguments.gpu else PARTS
    chosen = {n: part for n, part in parts.items() if not arguments.only or n in arguments.only}
    if not chosen:
        parser.error(f"--gpu measures {', '.join(GPU_PARTS)} only")
    settings = Settings(
        quick=arguments.quick,
        gpu=arguments.gpu,
        rounds=1 if arguments.quick else arguments.rounds,
        plot=arguments.plot,
    )
    print(machine(settings.gpu), end="\n\n", flush=True)
    if arguments.precision:
        settings, rows = replace(settings, precisions=(arguments.precision,)), []
    else:
        settings, rows = sections.choose_precisions(settings)
    for name, part in chosen.items():
        print(name, file=sys.stderr)
        rows += part(settings)
    if settings.quick:
        print("**Tiny settings (--quick): these numbers mean nothing.**\n")
    print(table(rows))
    return 0


def machine(gpu: bool) -> str:
    """One line: what it ran on, and when."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    place = [f"{processor()}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB"]
    if gpu and torch_is_installed():
        with Worker("benchmarks.reference") as reference:
            place.append(str(reference("describe")["device"]))
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    names = [f"Python {platform.python_version()}"]
    for package in ("keras", "tensorflow", *{backend, "torch"} - {"tensorflow"}):
        try:
            names.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    today = datetime.date.today().isoformat()
    names.append(f"Keras on {backend}")
    return f"{today}; {', '.join([*place, platform.system(), *names])}."


def processor() -> str:
    """Name of the processor, and which of the instructions that matter here it has (Linux)."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    facts = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
    facts = {name.strip(): value.strip() for name, value in facts.items()}
    flags = facts.get("flags", "").split()
    known = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags]
    return f"{facts.get('model name', platform.machine())} ({', '.join(known)})"


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| what | result | target | from |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.result} | {row.target} | {row.source} |" for row in rows]
    return "\n".join(lines)
