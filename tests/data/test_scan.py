"""The walk through a folder: it ends, counts each real file once, and opens nothing."""

import json
import os

import pytest

from dcgan.data.scan import scan_folder

pytestmark = pytest.mark.once


def names_in(folder, **options):
    return [found.name for found in scan_folder(folder, **options).files]


def put(path, content="x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_sub_folders_are_walked_in_the_order_of_names(tmp_path):
    for name in ("b.png", "a/z.png", "a/a.png", "c/d/e.PNG"):
        put(tmp_path / name)
    assert names_in(tmp_path) == ["a/a.png", "a/z.png", "b.png", "c/d/e.PNG"]


def test_hidden_files_and_what_systems_leave_are_ignored_quietly(tmp_path):
    for name in (".hidden.png", "._x.jpg", "Thumbs.db", "desktop.ini", ".git/a", "__MACOSX/b.png"):
        put(tmp_path / name)
    scan = scan_folder(tmp_path)
    assert scan.files == [] and scan.skipped == []


def test_loops_of_links_end(tmp_path):
    put(tmp_path / "a" / "x.png")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    scan = scan_folder(tmp_path)
    assert [found.name for found in scan.files] == ["a/x.png"]
    assert [name for name, _ in scan.skipped] == ["self"]


def test_a_real_file_counts_once_by_whatever_links(tmp_path):
    outside = put(tmp_path / "outside" / "x.png")
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.png").symlink_to(outside)
    (folder / "b.png").symlink_to(outside)
    os.link(outside, folder / "c.png")
    (folder / "d").symlink_to(outside.parent)
    scan = scan_folder(folder)
    assert [found.name for found in scan.files] == ["a.png"]
    assert [name for name, _ in scan.skipped] == ["b.png", "c.png", "d/x.png"]


def test_a_dead_link_is_named(tmp_path):
    (tmp_path / "a.png").symlink_to(tmp_path / "gone")
    assert [name for name, _ in scan_folder(tmp_path).skipped] == ["a.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_devices_are_named_and_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    scan = scan_folder(tmp_path)
    assert scan.skipped == [(name, "not a regular file") for name in ("pipe.png", "zero.png")]


def test_a_run_folder_is_passed_over_and_named(tmp_path):
    put(tmp_path / "a.png")
    put(tmp_path / "run" / "options.json", json.dumps({"format": "dcgan-run"}))
    put(tmp_path / "run" / "samples" / "b.png")
    scan = scan_folder(tmp_path)
    assert [found.name for found in scan.files] == ["a.png"]
    assert scan.skipped == [("run/", "a run folder of this program")]


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 3}', "[" * 100_000, "\0"])
def test_an_options_file_of_something_else_changes_nothing(tmp_path, content):
    put(tmp_path / "a" / "options.json", content)
    put(tmp_path / "a" / "b.png")
    assert "a/b.png" in names_in(tmp_path)


def test_the_excluded_folder_is_passed_over_by_whatever_name(tmp_path):
    put(tmp_path / "a.png")
    put(tmp_path / "Results" / "b.png")
    (tmp_path / "link").symlink_to(tmp_path / "Results")
    assert names_in(tmp_path, exclude=tmp_path / "link") == ["a.png"]


def test_a_folder_that_is_excluded_itself_is_still_read(tmp_path):
    put(tmp_path / "a.png")
    assert names_in(tmp_path, exclude=tmp_path) == ["a.png"]


def test_a_change_of_size_or_time_is_seen(tmp_path):
    path = put(tmp_path / "a.png")
    before = scan_folder(tmp_path).files
    os.utime(path, (1, 1))
    assert scan_folder(tmp_path).files != before


def test_an_unreadable_sub_folder_is_named(tmp_path, monkeypatch):
    put(tmp_path / "closed" / "a.png")
    put(tmp_path / "b.png")
    scandir = os.scandir

    def refuse(folder):
        if str(folder).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr("os.scandir", refuse)
    scan = scan_folder(tmp_path)
    assert [found.name for found in scan.files] == ["b.png"]
    assert scan.skipped == [("closed/", "Permission denied")]


def test_folders_nested_deeper_than_python_recurses_are_walked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").write_bytes(b"some bytes")
    for _ in range(1_500):
        os.mkdir("d")
        os.chdir("d")
    found = scan_folder(tmp_path)
    for _ in range(1_500):  # shutil.rmtree recurses, too
        os.chdir("..")
        os.rmdir("d")
    assert [file.name for file in found.files] == ["a.png"]
