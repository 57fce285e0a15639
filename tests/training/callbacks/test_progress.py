"""The progress bar."""


def test_the_bar_shows_losses_speed_and_time_left(tiny, images, capsys):
    tiny().fit(images, epochs=2)
    shown = capsys.readouterr()
    assert shown.out == ""
    for word in ("learning", "d_loss", "g_loss", "images/s", "left", "epoch"):
        assert word in shown.err


def test_the_bar_of_a_run_that_the_clock_ends_is_full_at_the_end(tiny, images, capsys):
    tiny().fit(images, minutes=0.01)
    last = capsys.readouterr().err.rstrip().split("\r")[-1]
    assert "100%" in last and "/?" not in last
