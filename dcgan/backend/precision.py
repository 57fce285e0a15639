"""The number format in which this machine convolves fastest."""

from functools import cache
from importlib import import_module
from pathlib import Path

import keras

CPU_FLAGS = {"avx512_bf16", "amx_bf16"}  # instructions that multiply bfloat16
CPU_INFO = Path("/proc/cpuinfo")


@cache
def fastest_precision() -> str:
    """Dtype policy to train in: "mixed_bfloat16" where the device multiplies it, else "float32".

    A GPU, a TPU or the framework itself decides; on a processor the flags that Linux lists.
    Elsewhere float32 is certain to work.
    """
    name = keras.backend.backend()
    accelerated = import_module(f"dcgan.backend.{name}_backend").multiplies_bfloat16()
    if accelerated is None:
        accelerated = bool(CPU_FLAGS & _cpu_flags())
    return "mixed_bfloat16" if accelerated else "float32"


def _cpu_flags() -> set[str]:
    """What the processor can do, as Linux lists it."""
    try:
        lines = CPU_INFO.read_text().splitlines()
    except OSError:  # no Linux
        return set()
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())
