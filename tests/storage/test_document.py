"""The document of a model file has one bounded form, and only that form is read."""

import pytest

from dcgan.errors import ModelFileError
from dcgan.storage.document import MAX_TOKENS, Refused, build_document, parse, read_document

pytestmark = pytest.mark.once


@pytest.fixture
def document(small, tmp_path):
    """The document of a small model file."""
    content = small.save(tmp_path / "a.dcgan").read_bytes()
    return small.split(content)[0]["__metadata__"]["dcgan"]


def test_what_is_read_builds_the_same_document_again(small, document):
    parts, entries = read_document(document)
    assert parts == small.document
    assert build_document(parts, entries) == document
    assert document.isascii()


def test_a_document_in_another_form_is_refused(document):
    for other in (document + " ", document.replace(",", ", ", 1), document.replace("0.5", "5e-1")):
        with pytest.raises(Refused, match="does not match its checksum"):
            read_document(other)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {1, 2}, object(), 2**70, "x" * 5_000_000]
)
def test_a_document_of_other_than_bounded_plain_values_is_never_written(value, small, tmp_path):
    with pytest.raises(ModelFileError, match="cannot be saved"):
        small.save(tmp_path / "a.dcgan", training={"value": value})
    assert not list(tmp_path.iterdir())


def test_a_document_of_other_parts_is_never_written(small, tmp_path):
    with pytest.raises(ModelFileError, match="other parts than it should: \\['config'\\]"):
        small.save(tmp_path / "a.dcgan", config={})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not valid JSON"),
        (b"[]", "no dictionary"),
        (b"{}{}", "not valid JSON"),
        (b'{"a": 1, "a": 1}', "a key occurs twice"),
        (b'{"a": {"b": 1, "b": 2}}', "a key occurs twice"),
        (b'{"a": NaN}', "not finite"),
        (b'{"a": -Infinity}', "not finite"),
        (b'{"a": 1e999}', "not finite"),
        (b'{"a": 9007199254740993}', "out of range"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "out of range"),
        (b'{"a": "\xff"}', "not valid JSON"),
        (b'{"a": "' + b"\\" * 1001, "not valid JSON"),
        (b'{"a": ' + b"[" * 12 + b"]" * 12 + b"}", "nested deeper than 12"),
        (b"[" * 400_000, "nested deeper than 12"),
        (b'{"a": [' + b"1," * MAX_TOKENS + b"1]}", "too long"),
        (b'{"a": "' + b"1" * (4 << 20) + b'"}', "too long"),
    ],
)
def test_json_out_of_bounds_is_refused(content, words):
    with pytest.raises(Refused, match=words):
        parse(content)


def test_json_within_bounds_is_parsed():
    assert parse(b'{"a": ' + b"[" * 11 + b"]" * 11 + b"}")
    assert parse(b'{"[[[[[[[[[[[[[[[": "\\"{{{{{{{{{{{{{{{"}') == {"[" * 15: '"' + "{" * 15}
    assert parse(b'{"a": -9007199254740992}') == {"a": -(2**53)}
