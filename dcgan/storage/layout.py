"""Which bytes frame the content of a model file? ZIP records and `.npy` headers, in one form.

Every record follows from the members' names, sizes and CRC-32s, so the reader checks by building
the same bytes again: there is nothing to interpret, and no field in which a lie could stand. The
records are those of the ZIP specification (APPNOTE 6.3, sections 4.3.7, 4.3.12, 4.3.16) and of
NumPy's format version 1.0.
"""

import struct
from dataclasses import dataclass

from dcgan.storage.document import DTYPES, ArrayEntry, preview_size

MAX_FILE_BYTES = (4 << 30) - (1 << 20)  # plain ZIP counts bytes in 32 bits; no need for ZIP64
LOCAL_HEADER_BYTES = 30
DOCUMENT_MEMBER = "model.json"
PREVIEW_MEMBER = "preview.png"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_ZIP_VERSION = 20  # 2.0: plain stored members
_DATE = 0x21  # 1 January 1980, the first day ZIP knows: a file depends on its content only


@dataclass(frozen=True)
class Member:
    """One member as the ZIP's records describe it."""

    name: str
    size: int
    crc: int


def local_header(member: Member) -> bytes:
    """The record that stands before a member's bytes."""
    return (
        struct.pack("<4s2H", b"PK\3\4", _ZIP_VERSION, 0)
        + _description(member)
        + member.name.encode("ascii")
    )


def directory(members: list[Member]) -> bytes:
    """The records that stand at the end: every member once more, and the end mark."""
    records, offset = [], 0
    for member in members:
        start = struct.pack("<4s3H", b"PK\1\2", _ZIP_VERSION, _ZIP_VERSION, 0)
        end = struct.pack("<3H2L", 0, 0, 0, 0, offset)
        records.append(start + _description(member) + end + member.name.encode("ascii"))
        offset += len(local_header(member)) + member.size
    body = b"".join(records)
    count = len(members)
    return body + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(body), offset, 0)


def npy_header(entry: ArrayEntry) -> bytes:
    """The header NumPy writes before an array in C order, padded to 64 bytes as it advises."""
    text = f"{{'descr': '{DTYPES[entry.dtype]}', 'fortran_order': False, 'shape': {entry.shape}, }}"
    padding = -(len(text) + 11) % 64
    header = (text + " " * padding + "\n").encode("ascii")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


def array_member(entry: ArrayEntry) -> str:
    return f"arrays/{entry.name}.npy"


def file_size(json_size: int, document: dict, entries: list[ArrayEntry]) -> int:
    """How many bytes the file must have, from the document's arithmetic alone."""
    content = {DOCUMENT_MEMBER: json_size}
    if (size := preview_size(document)) is not None:
        content[PREVIEW_MEMBER] = size
    for entry in entries:
        content[array_member(entry)] = len(npy_header(entry)) + entry.size
    empty = [Member(name, 0, 0) for name in content]  # a record's length depends on the name only
    framing = sum(len(local_header(member)) for member in empty) + len(directory(empty))
    return framing + sum(content.values())


def crc_and_size(header: bytes) -> tuple[int, int]:
    """What a local header says of its member; to be believed only if the rest of it is right."""
    crc, size = struct.unpack_from("<2L", header.ljust(LOCAL_HEADER_BYTES, b"\0"), 14)
    return crc, size


def _description(member: Member) -> bytes:
    """The fields a local header and the directory share: method 0 (stored), times, CRC, sizes."""
    return struct.pack(
        "<3H3L2H", 0, 0, _DATE, member.crc, member.size, member.size, len(member.name), 0
    )
