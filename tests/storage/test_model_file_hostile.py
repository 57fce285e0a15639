"""Hostile files are refused at once in little memory, with nothing executed and nothing written."""

import hashlib
import io
import json
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save as safetensors_save

pytestmark = pytest.mark.once

HUGE = 10**9
FLOAT = b"\0\0\x80\x3f"  # 1.0


class Payload:
    """Unpickled, it would leave a file behind."""

    def __reduce__(self):
        return (open, ("executed", "w"))


def to_json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def entry(content=FLOAT, **changes) -> dict:
    sha256 = hashlib.sha256(content).hexdigest()
    return {"shape": [1], "dtype": "float32", "bytes": len(content), "sha256": sha256} | changes


def tensor(start=0, end=4, **changes) -> dict:
    return {"dtype": "F32", "shape": [1], "data_offsets": [start, end]} | changes


def document(arrays: dict | None = None, **changes) -> dict:
    """The document of a file that is right but for what is told, with its checksum."""
    parts = {"options": {}, "plan": {}, "optimizers": {}, "training": {}}
    head = {"format": "dcgan-model", "version": 1}
    arrays = {"generator/x": entry()} if arrays is None else arrays
    unsigned = {k: v for k, v in (head | parts | {"arrays": arrays} | changes).items() if v != ...}
    return {"sha256": hashlib.sha256(to_json(unsigned)).hexdigest()} | unsigned


def pack(header: dict | bytes, data: bytes = FLOAT, length: int | None = None) -> bytes:
    """A safetensors file of any header."""
    header = header if isinstance(header, bytes) else to_json(header)
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def model(tensors: dict | None = None, data=FLOAT, metadata=None, **changes) -> bytes:
    """A model file of one array, right but for what is told."""
    told = document(**changes)
    if metadata is None:
        metadata = {"dcgan": to_json(told).decode()}
    tensors = {"generator/x": tensor()} if tensors is None else tensors
    return pack({"__metadata__": metadata, **tensors}, data)


def one(name="generator/x", content=FLOAT, at=None, **changes) -> bytes:
    """A model file whose one array is described as told, in the document and in the header."""
    described = entry(content, **changes)
    lies = at or tensor(0, len(content), **{k: v for k, v in changes.items() if k == "shape"})
    return model({name: lies}, content, arrays={name: described})


def zip_file(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def saved_array(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def framing_files(whole: bytes) -> dict[str, bytes]:
    """Files whose safetensors header is the attack."""
    two = {"generator/x": entry(), "generator/y": entry()}
    twice = to_json({"generator/x": tensor()})[1:-1]
    text = to_json(document()).decode()
    bomb = b'{"__metadata__":{"dcgan":"%s"},"generator/x":%s}'
    return {
        "length of an exabyte": struct.pack("<Q", 2**60) + whole[8:],
        "length of 4 GB": struct.pack("<Q", 2**32 - 1) + whole[8:],
        "length negative": struct.pack("<q", -1) + whole[8:],
        "length zero": struct.pack("<Q", 0) + whole[8:],
        "length one less": struct.pack("<Q", int.from_bytes(whole[:8], "little") - 1) + whole[8:],
        "length one more": struct.pack("<Q", int.from_bytes(whole[:8], "little") + 1) + whole[8:],
        "length beyond the end": pack(b"{}", b"", length=4 << 20),
        "header of 70 MB": pack(b'{"a":"' + b"x" * (70 << 20) + b'"}'),
        "header of 4 MB of arrays": pack({f"generator/{i}": tensor() for i in range(60_000)}),
        "header of 4 MB of quotes": pack(b'{"a":' + b'"' * (4 * 10**6)),
        "header of 4 MB of digits": pack(b'{"a":' + b"1" * (4 * 10**6) + b"}"),
        "header of 4 MB of brackets": pack(b'{"a":' + b"[" * (4 * 10**6)),
        "header nested deeply": pack(b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"),
        "header of objects in objects": pack(b'{"a":' * 99_999 + b"1" + b"}" * 99_999),
        "header nested within the document": model(plan={"a": [[[[[[[[[[[[[[1]]]]]]]]]]]]]]}),
        "header of nothing": pack(b"{}"),
        "header a list": pack(b"[1, 2]"),
        "header that is Python": pack(b"{__import__('os').system('touch executed')}"),
        "header in UTF-16": pack('{"a": 1}'.encode("utf-16")),
        "header of invalid UTF-8": pack(b'{"\xff\xfe": 1}'),
        "header with NaN": pack(b'{"__metadata__": NaN}'),
        "array twice": pack(b'{"__metadata__":{},' + twice + b"," + twice + b"}"),
        "metadata twice": pack(b'{"__metadata__":{},"__metadata__":{}}'),
        "document twice": pack(bomb[:-1] % (b"", twice) + b',"__metadata__":{"dcgan":"x"}}'),
        "metadata missing": pack({"generator/x": tensor()}),
        "metadata a string": pack({"__metadata__": "dcgan", "generator/x": tensor()}),
        "metadata of another program": model(metadata={"format": "pt"}),
        "metadata of several keys": model(metadata={"dcgan": text, "format": "pt"}),
        "document a number": model(metadata={"dcgan": 1}),
        "document empty": model(metadata={"dcgan": ""}),
        "document not ASCII": model(metadata={"dcgan": text.replace("dcgan-model", "海")}),
        "array unlisted": model({"generator/x": tensor(), "generator/y": tensor(4, 8)}, FLOAT * 2),
        "array listed but missing": model(arrays=two),
        "array of null": model({"generator/x": None}),
        "array without a place": model({"generator/x": {"dtype": "F32", "shape": [1]}}),
        "array with more keys": model({"generator/x": tensor(code="import os")}),
        "array of another type": model({"generator/x": tensor(dtype="F16")}),
        "array of another shape": model({"generator/x": tensor(shape=[2])}),
        "array of a true shape": model({"generator/x": tensor(shape="[1]")}),
        "offsets that overlap": model(
            {"generator/x": tensor(), "generator/y": tensor()}, arrays=two
        ),
        "offsets that overlap by halves": model(
            {"generator/x": tensor(), "generator/y": tensor(2, 6)}, FLOAT * 2, arrays=two
        ),
        "offsets with a gap": model(
            {"generator/x": tensor(), "generator/y": tensor(8, 12)}, FLOAT * 3, arrays=two
        ),
        "offsets that begin late": model({"generator/x": tensor(4, 8)}, FLOAT * 2),
        "offsets negative": model({"generator/x": tensor(-4, 0)}),
        "offsets backwards": model({"generator/x": tensor(4, 0)}),
        "offsets too short": model({"generator/x": tensor(0, 2)}),
        "offsets beyond the end": model({"generator/x": tensor(HUGE, HUGE + 4)}),
        "offsets of a petabyte": model({"generator/x": tensor(0, 2**50)}),
        "offsets that are fractions": model({"generator/x": tensor(0.0, 4.0)}),
        "offsets that are strings": model({"generator/x": tensor("0", "4")}),
        "offsets that are three": model({"generator/x": tensor(data_offsets=[0, 4, 8])}),
        "offsets out of range": model({"generator/x": tensor(0, 2**64)}),
        "data after the end": whole + b"\0",
        "data cut off": whole[:-1],
        "only its head": whole[:60],
        "only its length": whole[:8],
        "nothing but zeros": bytes(len(whole)),
        "something before it": b"#!/bin/sh\n" + whole,
    }


def document_files() -> dict[str, bytes]:
    """Files whose document is the attack, with a checksum that is right."""
    many = {f"generator/{i}": entry() for i in range(6000)}
    nan = np.array([np.nan], "<f4").tobytes()
    infinite = np.array([-np.inf], "<f4").tobytes()
    return {
        "another format": model(format="other"),
        "format missing": model(format=...),
        "version of tomorrow": model(version=2),
        "version zero": model(version=0),
        "version true": model(version=True),
        "version a string": model(version="1"),
        "checksum missing": model(metadata={"dcgan": to_json({"format": "dcgan-model"}).decode()}),
        "checksum of zeros": model(
            metadata={"dcgan": to_json(document() | {"sha256": "0" * 64}).decode()}
        ),
        "other JSON form": model(metadata={"dcgan": json.dumps(document(), sort_keys=True)}),
        "part missing": model(training=...),
        "part too many": model(code="import os"),
        "options a list": model(options=[1]),
        "plan a string": model(plan="import os"),
        "training null": model(training=None),
        "optimizers true": model(optimizers=True),
        "arrays a list": model(arrays=[]),
        "no arrays": model({}, b"", arrays={}),
        "too many arrays": model({}, b"", arrays=many),
        "a place to write to": model(options={"save_path": "/etc"}),
        "an integer of 64 bits": model(training={"step": 2**64 - 1}),
        "an exabyte announced": one(shape=[HUGE, HUGE], bytes=4 * HUGE**2),
        "a shape whose product overflows": one(shape=[2**31 - 1] * 4),
        "three gigabytes announced": one(shape=[750_000_000], bytes=3 * HUGE),
        "a negative axis": one(shape=[-1, -1]),
        "an axis that is a fraction": one(shape=[1.0]),
        "an axis that is true": one(shape=[True]),
        "a hundred axes": one(shape=[1] * 100),
        "bytes that lie": one(bytes=5),
        "bytes that are a string": one(bytes="4"),
        "objects announced": one(dtype="object"),
        "code as a type": one(dtype="O'); import os; ('"),
        "a type that is a list": one(dtype=[["a", "object"]]),
        "a hash that is wrong": one(sha256="0" * 64),
        "a hash that is a list": one(sha256=[]),
        "a hash in capitals": one(sha256=hashlib.sha256(FLOAT).hexdigest().upper()),
        "a description missing": model(arrays={"generator/x": None}),
        "a description with more": one(offset=0),
        "NaN weights": one(content=nan),
        "infinite weights": one(content=infinite),
        "a bool of 2": one(
            content=b"\2",
            dtype="bool",
            at={"dtype": "BOOL", "shape": [1], "data_offsets": [0, 1]},
        ),
        "a pickle as an array": one(
            content=(pickled := pickle.dumps(Payload())),
            dtype="uint8",
            shape=[len(pickled)],
            at={"dtype": "U8", "shape": [len(pickled)], "data_offsets": [0, len(pickled)]},
        ),
        "a name that climbs": one(name="generator/../../escaped"),
        "an absolute name": one(name="/etc/passwd"),
        "a Windows name": one(name="generator/C:\\escaped"),
        "a hidden name": one(name="generator/.bashrc"),
        "a name with a line's end": one(name="generator/x\n"),
        "a name in no group": one(name="code/x"),
        "a name of a group alone": one(name="generator/"),
        "a name of 60,000 letters": one(name="generator/" + "x" * 60_000),
        "a name in Cyrillic": one(name="generator/х"),
        "an array that is not of the plan": one(name="generator/dense/kernel"),
        "an optimizer too large": model(
            {"generator/x": tensor(), "optimizer/x": tensor(4, 84, shape=[20])},
            FLOAT * 21,
            **{"training": {"a": 1}, "optimizers": {"a": 1}},
            arrays={
                "generator/x": entry(),
                "optimizer/x": entry(FLOAT * 20, shape=[20]),
            },
        ),
        "a preview of a poster": model(
            {"generator/x": tensor(), "preview": tensor(4, 8, dtype="U8", shape=[1, 1, 4])},
            FLOAT * 2,
            arrays={
                "generator/x": entry(),
                "preview": entry(dtype="uint8", shape=[40_000, 40_000, 4], bytes=64 * 10**8),
            },
        ),
        "a preview of two channels": model(
            {"generator/x": tensor(), "preview": tensor(4, 8, dtype="U8", shape=[1, 2, 2])},
            FLOAT * 2,
            arrays={"generator/x": entry(), "preview": entry(dtype="uint8", shape=[1, 2, 2])},
        ),
        "a position that is no row of bytes": model(
            {"generator/x": tensor(), "state/position": tensor(4, 8, shape=[1])},
            FLOAT * 2,
            arrays={"generator/x": entry(), "state/position": entry()},
        ),
        "a position of a gigabyte": model(
            {"generator/x": tensor(), "state/position": tensor(4, 8, dtype="U8", shape=[4])},
            FLOAT * 2,
            arrays={
                "generator/x": entry(),
                "state/position": entry(dtype="uint8", shape=[10**9], bytes=10**9),
            },
        ),
    }


def other_files() -> dict[str, bytes]:
    """Files of other formats, some of which would run code where they are opened."""
    return {
        "a zip bomb": zip_file({"model.json": bytes(100 << 20)}),
        "a Keras file": zip_file({"metadata.json": b"{}", "config.json": b'{"module":"os"}'}),
        "a PyTorch file": zip_file({"archive/data.pkl": pickle.dumps(Payload())}),
        "a NumPy archive of objects": zip_file({"a.npy": saved_array(np.array([Payload()]))}),
        "a NumPy array of objects": saved_array(np.array([Payload()])),
        "a pickle": pickle.dumps(Payload()),
        "a pickle with a brace": b"\x80\x04\x95\0\0\0\0\0{" + pickle.dumps(Payload()),
        "another safetensors file": safetensors_save({"generator/x": np.ones(1, "float32")}),
        "an HDF5 file": b"\x89HDF\r\n\x1a\n{" + bytes(1000),
        "a PNG image": b"\x89PNG\r\n\x1a\n{" + bytes(1000),
        "a shell script": b"#!/bin/sh\ntouch executed\n",
    }


CHILD = """
import json, sys, time
from pathlib import Path
from dcgan.errors import ModelFileError
from dcgan.storage.model_file import read_model_file

seen = set()
HARM = ("subprocess", "os.", "socket", "pickle.", "exec", "compile", "import", "shutil", "ctypes")

def expected(document):
    return {"generator/x": ((1,), "float32")}

def watch(event, arguments):
    if event.startswith(HARM):
        seen.add(f"{event} {arguments}"[:200])
    if event == "open" and arguments[1] not in ("r", "rb", None):
        seen.add(f"open {arguments}")

def peak():
    # The most memory of this program so far, in KiB; ru_maxrss would count its parent's, too.
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else ["VmHWM: 0 kB"]
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

try:
    read_model_file(sys.argv[0], expected)  # what is imported when first needed is no concern here
except ModelFileError:
    pass
idle, results = peak(), {}
paths = sorted(Path(sys.argv[1]).iterdir()) + [Path(p) for p in sys.argv[2:]]
sys.addaudithook(watch)
for path in paths:
    start = time.process_time()
    try:
        read_model_file(path, expected)
        message = None
    except ModelFileError as error:
        message = str(error)
    except BaseException as error:
        message = None
        seen.add(f"{path.name} raised {error!r}"[:300])
    results[path.name] = [time.process_time() - start, message, peak() - idle]
print(json.dumps({"results": results, "seen": sorted(seen)}))
"""


@pytest.fixture(scope="module")
def refusals(small, start_child, tmp_path_factory):
    """What one child process made of every hostile file; and what it did besides."""
    folder = tmp_path_factory.mktemp("hostile")
    corpus, elsewhere = folder / "corpus", folder / "elsewhere"
    corpus.mkdir()
    elsewhere.mkdir()
    whole = small.save(folder / "a.dcgan").read_bytes()
    for name, content in (framing_files(whole) | document_files() | other_files()).items():
        (corpus / name).write_bytes(content)
    with open(corpus / "5 GB of nothing", "wb") as file:
        file.truncate(5 << 30)  # takes no room on the disk
    for size in (3, 5):
        with open(corpus / f"{size} GB of nothing, well framed", "wb") as file:
            values = size * 250_000_000
            place = tensor(0, 4 * values, shape=[values])
            described = entry(shape=[values], bytes=4 * values)
            file.write(model({"generator/x": place}, b"", arrays={"generator/x": described}))
            file.truncate(file.tell() + 4 * values)
    (corpus / "a folder").mkdir()
    (corpus / "a link to itself").symlink_to(corpus / "a link to itself")
    if hasattr(os, "mkfifo"):
        os.mkfifo(corpus / "a pipe")
    before = sorted(corpus.iterdir())
    root = Path(__file__).parents[2]
    child = start_child(
        CHILD,
        *(corpus, "/dev/zero", folder / "missing"),
        **{"cwd": elsewhere, "env": os.environ | {"PYTHONPATH": str(root)}},
    )
    output, errors = child.communicate()
    assert child.returncode == 0, errors
    assert sorted(corpus.iterdir()) == before
    assert not list(elsewhere.iterdir())
    return json.loads(output) | {"corpus": corpus}


def test_the_file_that_the_attacks_change_is_read(tmp_path):
    from dcgan.storage.model_file import read_model_file

    (tmp_path / "a").write_bytes(model())
    (tmp_path / "b").write_bytes(one())
    for name in "ab":
        assert read_model_file(tmp_path / name).arrays == {"generator/x": 1}


def test_more_than_100_hostile_files_are_all_refused_by_the_one_exception(refusals):
    assert len(refusals["results"]) > 100
    assert not {name for name, (_, message, _) in refusals["results"].items() if message is None}


def test_the_command_line_refuses_each_in_one_line_with_exit_code_2(refusals, capsys):
    from dcgan.cli import main

    for path in sorted(refusals["corpus"].iterdir()):
        assert main(["generate", str(path)]) == 2
        shown = capsys.readouterr()
        assert shown.out == "" and shown.err.count("\n") == 1 and path.name in shown.err


def test_each_refusal_takes_less_than_a_second(refusals):
    slow = {name: row[0] for name, row in refusals["results"].items() if row[0] >= 1}
    assert not slow


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells its peak")
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


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("length of 4 GB", "is not a model file"),
        ("length of an exabyte", "is not a model file"),
        ("header of 70 MB", "has a header of 73400328 bytes; at most 4194304 are read"),
        ("header nested deeply", "nested deeper than 12"),
        ("array twice", "a key occurs twice"),
        ("metadata of several keys", "more metadata than dcgan writes: ['dcgan', 'format']"),
        ("offsets that overlap", "'data_offsets': [4, 8]}"),
        ("offsets with a gap", "'data_offsets': [4, 8]}"),
        ("offsets that are fractions", "describes 'generator/x' as {'data_offsets': [0.0, 4.0]"),
        ("array unlisted", "other arrays than its document lists: ['generator/y']"),
        ("array listed but missing", "other arrays than its document lists: ['generator/y']"),
        ("array of another shape", "describes 'generator/x' as"),
        ("array of another type", "describes 'generator/x' as"),
        ("data after the end", "has 1 bytes more"),
        ("data cut off", "1 bytes are missing"),
        ("other JSON form", "does not match its checksum"),
        ("part too many", "other parts than it should: ['code']"),
        ("options a list", "'options' that is no dictionary"),
        ("a place to write to", "save_path"),
        ("version of tomorrow", "newer dcgan"),
        ("too many arrays", "lists 6000 arrays; at most 5000"),
        ("no arrays", "holds no generator"),
        ("three gigabytes announced", "describes 'generator/x' as {'data_offsets': [0, 4]"),
        ("3 GB of nothing, well framed", "its plan needs float32 (1,)"),
        ("5 GB of nothing, well framed", "has 50000"),
        ("a hundred axes", "expected a few whole numbers"),
        ("bytes that lie", "5 bytes instead of 4"),
        ("objects announced", "the type 'object'"),
        ("a hash that is wrong", "'generator/x' does not match its checksum"),
        ("NaN weights", "not finite in 'generator/x'"),
        ("a name that climbs", "names an array"),
        ("a name in Cyrillic", "names an array"),
        (
            "an array that is not of the plan",
            "'generator/dense/kernel', where its plan needs nothing",
        ),
        ("an optimizer too large", "more in 'optimizer/x' than an optimizer"),
        ("a preview of a poster", "a preview that is no image"),
        ("a position that is no row of bytes", "a position in the dataset that is none"),
        ("a position of a gigabyte", "a position in the dataset that is none"),
        ("a zip bomb", "an earlier, unpublished version"),
        ("another safetensors file", "a safetensors file that DCGAN.save did not write"),
        ("a pickle with a brace", "a pickle can run code"),
        ("a pipe", "is a device or a pipe"),
    ],
)
def test_an_attack_is_refused_for_its_own_reason(name, words, refusals):
    assert words in refusals["results"][name][1]
