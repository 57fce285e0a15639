"""Log of a run, step by step: `log.jsonl`, and the same as a table in `log.csv`."""

import csv
import io
import json
import math
import os
from pathlib import Path
from typing import Any

from dcgan.atomic import flush_to_disk, write_atomically
from dcgan.errors import ArgumentError, RunError


class RunLog:
    """The records of a run, appended as they come; a kill can cost no more than the last one.

    `log.jsonl` is the log: one JSON object per line, each with its "step". `log.csv` is always made
    from it: a column per key, in the order in which the keys first occurred; a record with a new
    key has the whole table written anew with one more column; what a record lacks is left empty.
    Numbers that are not finite become null, for JSON has no others.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self.jsonl_path = Path(folder) / "log.jsonl"
        self.csv_path = Path(folder) / "log.csv"
        self._columns: list[str] | None = None  # None: the files must be looked at before writing
        self._waiting: list[str] = []  # lines that a full disk did not take

    def write(self, record: dict[str, Any]) -> None:
        """Append a record.

        Args:
            record: strings and numbers by name; "step" (a whole number) must be among them.

        Raises:
            RunError: the disk is full or the folder is gone. The record is kept and written with
                the next one.
        """
        broken = {n for n, v in record.items() if isinstance(v, float) and not math.isfinite(v)}
        plain = record | dict.fromkeys(broken)
        if not isinstance(plain.get("step"), int):
            raise ArgumentError(f'A record needs its "step", a whole number. Received: {plain}')
        self._waiting.append(json.dumps(plain) + "\n")
        self.flush(to_disk=False)

    def records(self) -> list[dict[str, Any]]:
        """All whole records, oldest first."""
        return [json.loads(line) for line in self._whole_lines()]

    def cut_after(self, step: int) -> None:
        """Drop the records after a step, so that a run resumed there writes them again, once.

        Raises:
            OSError: the files cannot be written.
        """
        self._waiting.clear()
        if self.jsonl_path.exists():
            lines = self._whole_lines()
            kept = [line for line in lines if json.loads(line)["step"] <= step]
            self._replace(kept)

    def flush(self, to_disk: bool = True) -> None:
        """Write what is waiting.

        Args:
            to_disk: force it to the disk, so that no checkpoint is ahead of the log.

        Raises:
            RunError: the disk is full or the folder is gone.
        """
        try:
            if self._columns is None or not self.csv_path.exists():
                self._replace(self._whole_lines())  # so that a line can be appended
            while self._waiting:
                self._append(self._waiting[0], self._columns or [])
            if to_disk and self.jsonl_path.exists():
                with open(self.jsonl_path, "ab") as file:
                    flush_to_disk(file)
        except OSError as error:
            self._columns = None
            raise RunError(
                f"The log {str(self.jsonl_path)!r} cannot be written: {error.strerror or error}. "
                "Free some space, or see whether the folder is still there."
            ) from error

    def _append(self, line: str, columns: list[str]) -> None:
        with open(self.jsonl_path, "a", encoding="utf-8", newline="\n") as file:
            file.write(line)
        self._waiting.pop(0)
        record = json.loads(line)
        if record.keys() <= set(columns):
            with open(self.csv_path, "a", encoding="utf-8", newline="") as file:
                file.write(_table([record], columns))
        else:
            self._rebuild_table()

    def _whole_lines(self) -> list[str]:
        """The lines that are records: a kill leaves a torn last line, a power cut one of zeros."""
        if not self.jsonl_path.exists():
            return []
        content = self.jsonl_path.read_text(encoding="utf-8", errors="replace")
        return [line for line in content.splitlines(keepends=True) if _is_record(line)]

    def _replace(self, lines: list[str]) -> None:
        content = "".join(lines).encode()
        if self.jsonl_path.exists() and (present := self.jsonl_path.read_bytes()) != content:
            if present.startswith(content):
                os.truncate(self.jsonl_path, len(content))  # works on a full disk, too
            else:
                write_atomically(self.jsonl_path, content)
        self._rebuild_table()

    def _rebuild_table(self) -> None:
        records = self.records()
        columns = list(dict.fromkeys(key for record in records for key in record))
        if columns or self.csv_path.exists():
            header = [dict(zip(columns, columns, strict=True))] if columns else []
            write_atomically(self.csv_path, _table(header + records, columns))
        self._columns = columns


def _is_record(line: str) -> bool:
    try:
        return line.endswith("\n") and isinstance(json.loads(line)["step"], int)
    except (ValueError, KeyError, TypeError):
        return False


def _table(records: list[dict[str, Any]], columns: list[str]) -> str:
    buffer = io.StringIO()
    csv.DictWriter(buffer, columns, lineterminator="\n").writerows(records)
    return buffer.getvalue()
