"""The page of a run while it trains."""

from pathlib import Path

from dcgan.training.callbacks.run_page import TIME_SHARE, RunPage


def test_training_leaves_a_page_of_the_run_with_its_nearest_images(tiny, images, often):
    gan = tiny(save_path="run", sample_steps=2, **often)
    gan.fit(images, epochs=1, verbose=0)
    page = Path("run/index.html").read_text()
    assert "Step 3, epoch 1" in page and "refresh" not in page
    assert "Samples beside the nearest training images" in page
    assert Path("run/nearest.png").exists()


def test_a_page_waits_until_it_costs_a_small_share_of_the_time():
    page = RunPage(None, every_steps=2)
    page.last_step, page.last_moment = 2, 100.0
    page._pause = 3 / TIME_SHARE  # it took three seconds
    assert not page.is_due(4, 100 + 2.9 / TIME_SHARE)
    assert page.is_due(4, 100 + 3.1 / TIME_SHARE)
    assert not page.is_due(3, 1e9)
