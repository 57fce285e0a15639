"""Is a stranger's file refused at once, whatever it holds, with nothing run and nothing written?"""

import hashlib
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from test_model_file import DOCUMENT, small_file

from dcgan.storage import layout
from dcgan.storage.document import MAX_JSON_BYTES, ArrayEntry

HERE = Path(__file__).parent
HUGE = 10**9


class Payload:
    """Unpickled, it would leave a file behind."""

    def __reduce__(self):
        return (open, ("executed", "w"))


def to_json(document: dict) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def build_file(document: bytes | dict, contents: dict[str, bytes] | None = None) -> bytes:
    """A well-formed file of the given document and members, true or not."""
    if isinstance(document, dict):
        document = to_json(document)
    contents = {"model.json": document, **(contents or {})}
    members = [layout.Member(n, len(c), zlib.crc32(c)) for n, c in contents.items()]
    parts = [layout.local_header(m) + contents[m.name] for m in members]
    return b"".join(parts) + layout.directory(members)


def whole_document(arrays: dict, **changes) -> dict:
    head = {"format": "dcgan-model", "version": 1, "preview": None}
    return head | DOCUMENT | {"arrays": arrays} | changes


def entry(shape=(1,), dtype="float32", content=b"\0\0\0\0") -> dict:
    return {"shape": list(shape), "dtype": dtype, "sha256": hashlib.sha256(content).hexdigest()}


def one_array(
    name="generator/x", content=b"\0\0\0\0", header=None, changes=None, **description
) -> bytes:
    """A file of one array, well-formed but for what is told."""
    described = entry(content=content) | description
    if header is None:
        header = layout.npy_header(ArrayEntry("", (1,), "float32", ""))
    document = whole_document({name: described}, **(changes or {}))
    return build_file(document, {f"arrays/{name}.npy": header + content})


def saved_array(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def zip_file(members: dict[str, bytes], compression=zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def edited(whole: bytes, position: int, change: bytes) -> bytes:
    return whole[:position] + change + whole[position + len(change) :]


def json_files() -> dict[str, bytes]:
    """Files whose document is the attack."""
    half = MAX_JSON_BYTES // 2 - 10
    nested = to_json(whole_document({"generator/x": entry()}, training={"a": 0}))
    plain = whole_document({"generator/x": entry()})
    text = to_json(plain)
    return {
        "nested lists": build_file(b"[" * (2 * half)),
        "nested dictionaries": build_file(b'{"a":' * 100_000),
        "nested 13 deep": build_file(nested.replace(b'{"a":0}', b'{"a":' * 12 + b"0" + b"}" * 12)),
        "nested, hidden by UTF-16": build_file(b"\xff\xfe" + ("[" * 10_000).encode("utf-16-le")),
        "a million empty lists": build_file(b"[" + b"[]," * (half // 2) + b"[]]"),
        "quotes without an end": build_file(b'"' + b'\\"' * half),
        "longer than can be": build_file(b'"' + b"a" * MAX_JSON_BYTES + b'"'),
        "a key twice": build_file(text.replace(b'"version":1', b'"version":1,"version":1')),
        "NaN": build_file(text.replace(b'"step":7', b'"step":NaN')),
        "infinite": build_file(text.replace(b'"step":7', b'"step":1e999')),
        "a number of a million digits": build_file(text.replace(b":7", b":" + b"7" * 1_000_000)),
        "no dictionary": build_file(b"[1,2]"),
        "no JSON": build_file(b"import os"),
        "spaces added": build_file(text.replace(b":", b": ")),
        "no config": build_file({k: v for k, v in plain.items() if k != "config"}),
        "a part too many": build_file(plain | {"code": "import os"}),
        "config that is a list": build_file(plain | {"config": [1]}),
        "config that cannot be": one_array("generator/y", changes={"config": {"width": HUGE}}),
        "another format": build_file(plain | {"format": "keras"}),
        "version 0": build_file(plain | {"version": 0}),
        "version true": build_file(plain | {"version": True}),
        "version 10**15": build_file(plain | {"version": 10**15}),
        "too many arrays": build_file(
            whole_document({f"generator/{i}": {} for i in range(30_000)})
        ),
        "no arrays": build_file(whole_document({})),
        "preview of a terabyte": build_file(plain | {"preview": {"size": 1 << 40, "sha256": "0"}}),
    }


def array_files() -> dict[str, bytes]:
    """Files whose arrays, or what is said of them, are the attack."""
    pickled = pickle.dumps(Payload())
    objects = saved_array(np.array([Payload()], object))
    wide = saved_array(np.zeros(1, "float32"))
    nan = np.array([np.nan], "<f4").tobytes()
    infinite = np.array([np.inf], "<f4").tobytes()
    return {
        "an exabyte announced": one_array(shape=[HUGE, HUGE]),
        "a shape whose product overflows": one_array(shape=[2**31 - 1] * 4),
        "three gigabytes announced": one_array(shape=[750_000_000]),
        "a negative axis": one_array(shape=[-1, -1]),
        "an axis that is a fraction": one_array(shape=[1.0]),
        "an axis that is true": one_array(shape=[True]),
        "a hundred axes": one_array(shape=[1] * 100),
        "objects announced": one_array(dtype="object"),
        "code as a type": one_array(dtype="O'); import os; ('"),
        "a type that is a list": one_array(dtype=[["a", "object"]]),
        "pickled objects in an array": one_array(
            **{"content": pickled, "header": objects[:128]},
            **{"shape": [len(pickled)], "dtype": "uint8"},
        ),
        "header of another shape": one_array(header=wide[:128].replace(b"(1,)", b"(9,)")),
        "header of version 2": one_array(header=wide[:6] + b"\2" + wide[7:128]),
        "header of a gigabyte": one_array(
            header=(b"\x93NUMPY\2\0" + struct.pack("<L", HUGE)).ljust(128)
        ),
        "NaN weights": one_array(content=nan),
        "infinite weights": one_array(content=infinite),
        "a hash that is not": one_array(sha256="0" * 64),
        "a hash that is a list": one_array(sha256=[]),
        "description missing": build_file(whole_document({"generator/x": None})),
        "a name that climbs": one_array(name="generator/../../escaped"),
        "an absolute name": one_array(name="/etc/passwd"),
        "a Windows name": one_array(name="generator/C:\\escaped"),
        "a hidden name": one_array(name="generator/.bashrc"),
        "a name with a line's end": one_array(name="generator/x\n"),
        "a name in no group": one_array(name="code/x"),
        "a name of a million letters": one_array(name="generator/" + "x" * 60_000),
        "a network of another shape": one_array(name="generator/dense/kernel"),
    }


def zip_files(whole: bytes) -> dict[str, bytes]:
    """Files whose ZIP structure is the attack."""
    directory = whole.index(b"PK\1\2")
    second = whole.index(b"PK\1\2", directory + 1)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    twice = whole[:directory] + whole[directory:second] * 2 + whole[second:]
    return {
        "a zip bomb": zip_file({"model.json": bytes(100 << 20)}, zipfile.ZIP_DEFLATED),
        "a zip bomb inside": edited(whole, directory + 10, b"\x08"),
        "packed anew": zip_file(members, zipfile.ZIP_DEFLATED),
        "packed anew, stored, in another order": zip_file(dict(reversed(members.items()))),
        "a member twice": twice,
        "a member too many": zip_file(members | {"run_me.py": b"import os"}),
        "members that overlap": edited(whole, second + 42, struct.pack("<L", 0)),
        "a member that is a link": edited(whole, directory + 38, b"\0\0\xff\xa1"),
        "an encrypted member": edited(whole, 6, b"\1"),
        "a member's size hidden": edited(whole, 6, b"\x08"),
        "a size of 4 GB": edited(whole, 18, b"\xff\xff\xff\xff\xff\xff\xff\xff"),
        "a longer name": edited(whole, 26, b"\xff\xff"),
        "something before it": b"#!/bin/sh\n" + whole,
        "something after it": whole + b"\0",
        "a comment": whole[:-2] + b"\x05\0hello",
        "one byte missing": whole[:-1],
        "half of it": whole[: len(whole) // 2],
        "only its head": whole[:60],
        "nothing but zeros": bytes(len(whole)),
        "a Keras file": zip_file({"metadata.json": b"{}", "config.json": b'{"module":"os"}'}),
        "a pickle": pickle.dumps(Payload()),
        "a PyTorch file": zip_file({"archive/data.pkl": pickle.dumps(Payload())}),
        "a NumPy archive of objects": zip_file({"a.npy": saved_array(np.array([Payload()]))}),
    }


def make_sparse_file(path: Path):
    """3 GB of weights that are announced rightly and take no room on the disk."""
    document = whole_document({"generator/x": entry([750_000_000])})
    start = build_file(document)[: -len(layout.directory([layout.Member("model.json", 0, 0)]))]
    weights = ArrayEntry("generator/x", (750_000_000,), "float32", "")
    json_size = len(start) - len(layout.local_header(layout.Member("model.json", 0, 0)))
    with open(path, "wb") as file:
        file.write(start)
        file.truncate(layout.file_size(json_size, document, [weights]))


CHILD = '''
import json, resource, sys, time
from pathlib import Path
import test_model_file
from dcgan.errors import ModelFileError
from dcgan.storage.model_file_old import read_model

seen = set()
HARM = ("subprocess", "os.", "socket", "pickle.", "exec", "compile", "import", "shutil", "ctypes")

def expected(document):
    """Believes what is said of generator/x, so that each attack on it reaches its check."""
    said = document["arrays"].get("generator/x")
    if said is None:
        return test_model_file.expected(document)
    return {"generator/x": (tuple(said["shape"]), said["dtype"])}

def watch(event, arguments):
    if event.startswith(HARM) and event != "os.scandir":
        seen.add(f"{event} {arguments}"[:200])
    if event == "open" and arguments[1] not in ("r", "rb", None):
        seen.add(f"open {arguments}")

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux

paths = sorted(Path(sys.argv[1]).iterdir()) + [Path(p) for p in sys.argv[2:]]
try:
    read_model(paths[0], expected)  # what is imported when first needed is no concern here
except ModelFileError:
    pass
idle, results = peak(), {}
sys.addaudithook(watch)
for path in paths:
    start = time.perf_counter()
    try:
        read_model(path, expected)
        message = None
    except ModelFileError as error:
        message = str(error)
    except BaseException as error:
        message = None
        seen.add(f"{path.name} raised {error!r}"[:300])
    results[path.name] = [time.perf_counter() - start, message, peak() - idle]
print(json.dumps({"results": results, "seen": sorted(seen)}))
'''


@pytest.fixture(scope="module")
def refusals(tmp_path_factory):
    """What one child process made of every hostile file; and what it did besides."""
    folder = tmp_path_factory.mktemp("hostile")
    corpus, elsewhere = folder / "corpus", folder / "elsewhere"
    corpus.mkdir()
    elsewhere.mkdir()
    files = json_files() | array_files() | zip_files(small_file(folder / "a.dcgan").read_bytes())
    for name, content in files.items():
        (corpus / name.replace("/", "_")).write_bytes(content)
    with open(corpus / "5 GB of nothing", "wb") as file:
        file.truncate(5 << 30)  # takes no room on the disk
    make_sparse_file(corpus / "3 GB of nothing, well framed")
    (corpus / "a folder").mkdir()
    (corpus / "a link to itself").symlink_to(corpus / "a link to itself")
    if hasattr(os, "mkfifo"):
        os.mkfifo(corpus / "a pipe")
    before = sorted(corpus.iterdir())
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)])}
    child = subprocess.run(
        [sys.executable, "-c", CHILD, corpus, "/dev/zero", folder / "missing"],
        **{"capture_output": True, "text": True, "cwd": elsewhere, "env": environment},
    )
    assert child.returncode == 0, child.stderr
    assert sorted(corpus.iterdir()) == before
    assert not list(elsewhere.iterdir())
    return json.loads(child.stdout)


def test_there_are_more_than_30_hostile_files_and_each_is_refused_by_the_one_exception(refusals):
    assert len(refusals["results"]) > 30
    assert not {name for name, (_, message, _) in refusals["results"].items() if message is None}


def test_each_refusal_takes_less_than_a_second(refusals):
    slow = {name: row[0] for name, row in refusals["results"].items() if row[0] >= 1}
    assert not slow


def test_no_refusal_takes_more_than_200_mb(refusals):
    greedy = {name: row[2] for name, row in refusals["results"].items() if row[2] >= 200_000}
    assert not greedy


def test_nothing_is_executed_opened_for_writing_or_imported_by_a_hostile_file(refusals):
    assert refusals["seen"] == []


def test_a_refusal_is_one_short_line_that_names_the_file(refusals):
    for name, (_, message, _) in refusals["results"].items():
        assert Path(name).name in message
        assert "\n" not in message
        assert len(message) < 700
