"""Decoding in several processes: within the memory there is, and whatever a file does to one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from dcgan.data import workers
from dcgan.data.decode import NO_MEMORY
from dcgan.data.target import Target
from dcgan.errors import DataError

pytestmark = pytest.mark.once

TARGET = Target(8, 8, 3)


def fill(folder, count, side=8, kind="png"):
    """The paths of so many images of one gray each."""
    folder.mkdir()
    paths = [folder / f"{index:04}.{kind}" for index in range(count)]
    for index, path in enumerate(paths):
        image = Image.new("RGBA", (side, side), (index,) * 3 + (200,))
        image.save(path, compress_level=1, method=0)
    return list(map(str, paths))


def decode(paths, folder):
    (folder / "pixels").touch()
    return workers.decode_all(paths, TARGET, folder / "pixels", lambda _: None)


def test_little_memory_is_divided_among_fewer_workers_and_then_among_smaller_images(monkeypatch):
    largest = workers.WORKER_BYTES + workers.MAX_PIXELS * workers.BYTES_PER_PIXEL
    shares = {
        None: (4, None),
        8 * largest: (4, largest - workers.WORKER_BYTES),
        5 * largest: (2, largest * 5 // 4 - workers.WORKER_BYTES),
        largest: (1, largest // 2 - workers.WORKER_BYTES),
        0: (1, workers.SMALL_BYTES),
    }
    for free, expected in shares.items():
        monkeypatch.setattr(workers, "free_memory", lambda free=free: free)
        assert workers.share_memory(4) == expected


@pytest.mark.parametrize("kind", ["png", "webp"])  # WebP takes most
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="only Linux tells the peak")
def test_workers_together_take_no_more_than_half_of_the_free_memory(tmp_path, monkeypatch, kind):
    """With several workers and images near the limit, which is faked small, as the memory is."""
    peaks, close = [], workers._Worker.close

    def measured(self):
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        peaks.append(1024 * int(status.split("VmHWM:")[1].split()[0]))
        close(self)

    monkeypatch.setattr(workers._Worker, "close", measured)
    monkeypatch.setattr(workers, "free_memory", lambda: 600_000_000)
    monkeypatch.setattr(workers, "MAX_PIXELS", 1_500_000)  # which the children do not know
    monkeypatch.setattr(workers, "available_cores", lambda: 8)
    paths = fill(tmp_path / "in", 9, side=1200, kind=kind)
    outcomes = decode([*fill(tmp_path / "large", 3, side=3000), *paths], tmp_path)
    assert outcomes[:3] == [NO_MEMORY] * 3
    assert all(outcome[:2] == (1200, 1200) for outcome in outcomes[3:])
    assert len(peaks) == 3 and 100_000_000 < sum(peaks) <= 300_000_000


def test_a_disk_that_fills_up_while_decoding_is_an_error_and_not_a_skipped_file(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no full device")
    paths = fill(tmp_path / "in", 40)
    with pytest.raises(OSError, match="cannot be written"):
        workers.decode_all(paths, TARGET, "/dev/full", lambda _: None)


def test_a_decoder_that_crashes_costs_one_file(tmp_path, monkeypatch):
    """The worker is made to die of one file, as a bug in a decoder's C code would make it."""
    paths = fill(tmp_path / "in", 40)
    (tmp_path / "patch").mkdir()
    (tmp_path / "patch" / "sitecustomize.py").write_text(
        "import os, dcgan.data.decode as d\n"
        "real = d._decode\n"
        "d._decode = lambda f, *a: os.abort() if f.read(1) == b'!' else (f.seek(0), real(f, *a))[1]"
    )
    Path(paths[5]).write_bytes(b"!")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "patch"))
    outcomes = decode(paths, tmp_path)
    assert outcomes.pop(5) == "its decoder crashed, or took too long"
    assert all(outcome[:2] == (8, 8) for outcome in outcomes)


def test_processes_that_do_not_start_are_an_error_that_tells_how_to_look(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(DataError, match="do not start"):
        decode(fill(tmp_path / "in", 40), tmp_path)


def test_workers_import_little_more_than_pillow_and_numpy():
    command = [sys.executable, "-c", "import sys, dcgan.data.workers; print(*sys.modules)"]
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    said = subprocess.run(command, env=os.environ | path, capture_output=True, text=True).stdout
    loaded = {name.split(".")[0] for name in said.split()}
    assert "PIL" in loaded and not loaded & {"keras", "tqdm", "matplotlib"}
