"""Survival of kills: a training is killed at random moments, half of them inside a save.

    python -m benchmarks survive              # 100 kills of a training of tiny networks
    python -m benchmarks survive --growing    # of networks that grow twice meanwhile
    python -m benchmarks survive --store      # the same of a loop that only saves: quick, no Keras

Every start after a kill must resume from a whole checkpoint, none earlier than the newest that was
reported as saved. Prints how many kills were survived; exits with 1 if any was not.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.rounds import ROOT

MAX_SAVE_SECONDS = 60  # a program that saves nothing for so long does not work
LEFTOVER = ".partial"  # how the name of an unfinished checkpoint ends

# All report "started STEP" when they have resumed, and "saved STEP" after a save.
SMALL = "size, depth, increment = 16, 2, 8"
GROWING = "size, depth, increment = 160, 3, 6"
TRAIN = """
import os, sys
import keras
import numpy as np
from dcgan import DCGAN

class Report(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        print("started", gan.state.step, flush=True)

    def on_train_batch_end(self, batch, logs=None):
        saved = sorted(n for n in os.listdir(f"{sys.argv[1]}/checkpoints") if n.endswith(".dcgan"))
        print("saved", saved[-1].split("-")[-1].removesuffix(".dcgan"), flush=True)

images = np.random.default_rng(0).integers(0, 256, (32, size, size, 3), dtype=np.uint8)
# at the usual interval between checkpoints hardly any kill would hit a save
often = dict(batch_size=8, checkpoint_seconds=0)
gan = DCGAN(sys.argv[1], img_size=(size, size, 3), depth=depth, increment=increment, **often)
assert len(gan.phases) == (3 if size == 160 else 1), "other networks grow than this expects"
for epochs in (100, 10**6):  # networks that grow are whole after the half of 100 epochs
    gan.fit(images, epochs=epochs, verbose=0, callbacks=[Report()])
"""
SAVE = """
import itertools, sys, time
import numpy as np
from dcgan.storage.run_folder import RunFolder

document = dict.fromkeys(("options", "plan", "optimizers", "training"), {})
with RunFolder.open(sys.argv[1]) as run:
    run.write_options({}, {}, None)
    checkpoint = run.checkpoints.newest()
    first = checkpoint.step if checkpoint else 0
    print("started", first, flush=True)
    for step in itertools.count(first + 1):
        time.sleep(0.005)
        run.log.write({"step": step})
        run.checkpoints.save(step, document, {"generator/a": np.full(200_000, step, np.float32)})
        print("saved", step, flush=True)
"""


def train(networks: str) -> str:
    """The program that trains such networks."""
    return f"{networks}\n{TRAIN}"


class Victim:
    """A program that trains in a folder, and what it printed until it was killed."""

    def __init__(self, program: str, folder: Path):
        self.checkpoints = folder / "checkpoints"
        self.errors = open(folder.with_name("errors.txt"), "w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, str(folder)],
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
            start_new_session=True,  # so that its workers are killed with it
        )
        self.lines = []

    def wait_for_start(self) -> None:
        """Wait until it has resumed from its checkpoint."""
        while not any(line.startswith("started") for line in self.lines):
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit(f"A start failed:\n{self._said()}")
            self.lines.append(line)

    def wait_for_save(self) -> None:
        """Wait until it is within a save."""
        limit = time.monotonic() + MAX_SAVE_SECONDS
        while not self.is_within_save():
            if time.monotonic() > limit or self.process.poll() is not None:
                raise SystemExit(f"No save within {MAX_SAVE_SECONDS} seconds:\n{self._said()}")

    def is_within_save(self) -> bool:
        """Whether an unfinished checkpoint is there; after a kill, whether it hit a save."""
        return self.checkpoints.is_dir() and any(
            name.endswith(LEFTOVER) for name in os.listdir(self.checkpoints)
        )

    def kill(self) -> None:
        """Kill it, and read what it printed until then."""
        if self.process.poll() is not None:
            raise SystemExit(f"It ended by itself:\n{self._said()}")
        os.killpg(self.process.pid, signal.SIGKILL)
        self.lines += self.process.communicate()[0].splitlines()
        self.errors.close()

    def steps(self, word: str) -> list[int]:
        """The steps of its reports of a kind; the last line may be torn."""
        reports = [line.split() for line in self.lines]
        return [int(r[1]) for r in reports if len(r) == 2 and r[0] == word]

    def _said(self) -> str:
        self.errors.seek(0)
        return self.errors.read()[-3000:]


def survive(program: str, folder: Path, kills: int) -> tuple[int, int]:
    """Kill `program` so many times; returns how many kills it survived, and how many hit a save."""
    survived = within_saves = saved = 0
    for number in range(kills + 1):  # the last start only shows that the last kill was survived
        victim, began = Victim(program, folder), time.monotonic()
        aim_at_save = within_saves < kills / 2
        if aim_at_save or number == kills:
            victim.wait_for_start()
            start_seconds = time.monotonic() - began
        if number < kills:
            wait_for_moment(victim, aim_at_save, start_seconds)
        victim.kill()
        for step in victim.steps("started"):
            if step < saved:
                raise SystemExit(f"Step {saved} was saved, but a start resumed from {step}.")
            survived = number  # a kill during a start shows in the next start
            within_saves += number < kills and victim.is_within_save()
        saved = max([saved, *victim.steps("saved")])
        progress = f"\r{survived} of {kills} survived, {within_saves} in a save "
        print(progress, end="", file=sys.stderr)
    return survived, within_saves


def wait_for_moment(victim: Victim, aim_at_save: bool, start_seconds: float) -> None:
    """Wait for the moment of a kill: within a save, or at any time after the program's start."""
    if aim_at_save:
        time.sleep(random.uniform(0, 0.3))
        victim.wait_for_save()
        time.sleep(random.uniform(0, 0.003))
    else:
        time.sleep(random.uniform(0, start_seconds + 1))


def main(argv: list[str] | None = None) -> int:
    """Run the test; returns the exit status."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks survive", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--kills", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--growing", action="store_true", help="train networks that grow")
    parser.add_argument("--store", action="store_true", help="only save, without training")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    arguments = parser.parse_args(argv)
    random.seed(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        program = SAVE if arguments.store else train(GROWING if arguments.growing else SMALL)
        survived, within_saves = survive(program, Path(folder) / "run", arguments.kills)
    print(
        f"\n{survived} of {arguments.kills} kills survived: each next start resumed from a whole "
        f"checkpoint. {within_saves} of the kills were inside a save."
    )
    return 0 if survived == arguments.kills else 1
