"""The log of a run is whole after a kill, and the same as if there had been none."""

import csv
import json
import math

import pytest

from dcgan.errors import ArgumentError, RunError
from dcgan.storage.run_log import RunLog

pytestmark = pytest.mark.once

RECORDS = [{"step": step, "loss": step / 8, "note": 'a, "b"\n'} for step in range(1, 6)]


@pytest.fixture
def log(tmp_path):
    log = RunLog(tmp_path)
    for record in RECORDS:
        log.write(record)
    return log


def table(log: RunLog) -> list[dict]:
    with open(log.csv_path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def files(log: RunLog) -> tuple[bytes, bytes]:
    return log.jsonl_path.read_bytes(), log.csv_path.read_bytes()


def test_both_files_hold_all_records(log):
    assert log.records() == RECORDS
    assert [json.loads(line) for line in log.jsonl_path.read_text().splitlines()] == RECORDS
    assert [(int(row["step"]), float(row["loss"]), row["note"]) for row in table(log)] == [
        tuple(record.values()) for record in RECORDS
    ]


def test_a_folder_without_a_log_has_no_records(tmp_path):
    assert RunLog(tmp_path).records() == []
    assert not list(tmp_path.iterdir())


def test_a_new_key_is_a_new_column_and_the_rows_before_lack_it(log):
    log.write({"step": 6, "kid": 0.5, "loss": 1.0})
    log.write({"step": 7, "loss": 1.0})
    rows = table(log)
    assert list(rows[0]) == ["step", "loss", "note", "kid"]
    assert [row["kid"] for row in rows] == [""] * 5 + ["0.5", ""]


def test_a_torn_last_line_is_dropped_before_the_next_is_written(log):
    with open(log.jsonl_path, "ab") as file:
        file.write(b'{"step": 6, "lo')
    with open(log.csv_path, "ab") as file:
        file.write(b"6,0.")
    again = RunLog(log.jsonl_path.parent)
    assert again.records() == RECORDS
    again.write({"step": 6, "loss": 0.75, "note": ""})
    assert [record["step"] for record in again.records()] == [1, 2, 3, 4, 5, 6]
    assert [row["step"] for row in table(again)] == ["1", "2", "3", "4", "5", "6"]


def test_zeros_that_a_power_cut_left_are_dropped(log):
    with open(log.jsonl_path, "ab") as file:
        file.write(bytes(100))
    again = RunLog(log.jsonl_path.parent)
    again.write({"step": 6})
    assert [record["step"] for record in again.records()] == [1, 2, 3, 4, 5, 6]


def test_after_a_resume_the_log_is_what_an_uninterrupted_run_would_have_written(log, tmp_path):
    uninterrupted = files(log)
    resumed = RunLog(tmp_path)
    resumed.cut_after(3)
    assert resumed.records() == RECORDS[:3]
    for record in RECORDS[3:]:
        resumed.write(record)
    assert files(resumed) == uninterrupted


def test_a_column_of_records_that_were_cut_is_cut_too(log):
    log.write({"step": 6, "kid": 0.5})
    log.cut_after(5)
    assert list(table(log)[0]) == ["step", "loss", "note"]


def test_numbers_that_json_lacks_are_null(tmp_path):
    log = RunLog(tmp_path)
    log.write({"step": 1, "a": 0.5, "b": math.nan, "c": -math.inf})
    assert log.records() == [{"step": 1, "a": 0.5, "b": None, "c": None}]
    assert table(log) == [{"step": "1", "a": "0.5", "b": "", "c": ""}]


@pytest.mark.parametrize("record", [{}, {"loss": 1.0}, {"step": 1.5}, {"step": None}])
def test_a_record_without_its_step_is_refused(tmp_path, record):
    with pytest.raises(ArgumentError, match="step"):
        RunLog(tmp_path).write(record)


def test_a_record_that_could_not_be_written_is_written_with_the_next_one(log, tmp_path):
    before = files(log)
    aside = tmp_path.with_name("aside")
    tmp_path.rename(aside)  # the folder is gone, as a drive that was pulled out
    with pytest.raises(RunError, match="cannot be written"):
        log.write({"step": 6, "loss": 0.5, "note": ""})
    aside.rename(tmp_path)
    assert files(log) == before
    log.write({"step": 7, "loss": 0.5, "note": ""})
    assert [record["step"] for record in log.records()] == [1, 2, 3, 4, 5, 6, 7]
    assert len(table(log)) == 7


def test_a_record_that_could_not_be_written_is_written_when_the_log_is_flushed(log, tmp_path):
    aside = tmp_path.with_name("aside")
    tmp_path.rename(aside)
    with pytest.raises(RunError, match="cannot be written"):
        log.write({"step": 6, "loss": 0.5, "note": ""})
    with pytest.raises(RunError, match="cannot be written"):
        log.flush()
    aside.rename(tmp_path)
    log.flush()
    assert [record["step"] for record in log.records()] == [1, 2, 3, 4, 5, 6]
    assert len(table(log)) == 6
