"""The table of exports has a row for each format, measured or with what is missing."""

import pytest

from dcgan import ArgumentError
from dcgan.export import formats

pytestmark = pytest.mark.once


def test_each_format_is_measured_or_says_what_is_missing(
    benchmark, tiny, capsys, monkeypatch, converters_here
):
    kept = {name: formats.FORMATS[name] for name in ("keras", "web")}
    module, export = benchmark("exports"), formats.export_generator
    monkeypatch.setattr(module, "FORMATS", kept)
    tiny().save("a.dcgan")

    def without_browser(generator, path, format, **options):
        if format == "web":
            raise ArgumentError("needs a browser")
        return export(generator, path, format, **options)

    monkeypatch.setattr("dcgan.export.showing.export_generator", without_browser)
    assert module.main(["a.dcgan", "--times", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("| keras | Keras | 0.") for line in lines)
    assert "| web | needs a browser | | | |" in lines
