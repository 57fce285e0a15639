"""The log: a line every so many steps, with the means of the steps since the line before."""

import pytest


def test_each_line_has_the_means_of_the_steps_since_the_one_before(
    tiny, images, monkeypatch, log_lines
):
    monkeypatch.setattr("dcgan.training.callbacks.loss_log.LOG_STEPS", 2)
    history = tiny(save_path="run").fit(images, epochs=2, verbose=0)
    lines = log_lines("run", "d_loss")
    assert [(line["step"], line["of_steps"]) for line in lines] == [(2, 2), (4, 2), (6, 2)]
    means = [sum(line[name] for line in lines) / 3 for name in ("d_loss", "g_loss", "d_real")]
    of_epochs = [sum(history.history[name]) / 2 for name in ("d_loss", "g_loss", "d_real")]
    assert means == pytest.approx(of_epochs, rel=1e-5)  # float32 sums in another order


def test_the_sums_of_an_interrupted_run_are_counted_on(tiny, images, monkeypatch, log_lines):
    monkeypatch.setattr("dcgan.training.callbacks.loss_log.LOG_STEPS", 4)
    for epochs in (1, 2):
        tiny(save_path="run").fit(images, epochs=epochs, verbose=0)
    lines = [(line["step"], line["of_steps"]) for line in log_lines("run", "d_loss")]
    assert lines == [(3, 3), (4, 4), (6, 2)]
