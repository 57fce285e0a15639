"""Every verb of `python -m benchmarks` exists, and an unknown one is refused."""

import pytest

pytestmark = pytest.mark.once


def test_every_verb_has_help(benchmark, capsys):
    main = benchmark("__main__")
    for verb in main.VERBS:
        with pytest.raises(SystemExit) as ended:
            main.main([verb, "--help"])
        assert ended.value.code == 0
        assert f"usage: python -m benchmarks {verb}" in capsys.readouterr().out


def test_an_unknown_verb_is_refused_with_those_there_are(benchmark, capsys):
    with pytest.raises(SystemExit):
        benchmark("__main__").main(["sped"])
    assert "gallery" in capsys.readouterr().err
