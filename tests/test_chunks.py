"""Are all images in some chunk, and are large ones fewer at a time?"""

import pytest

from dcgan.images import chunks


@pytest.mark.parametrize("side, most", [(28, 64), (512, 21), (4096, 1)])
def test_chunks_are_whole_and_small_enough(side, most):
    found = chunks(130, (side, side, 3))
    assert sum((list(range(130))[chunk] for chunk in found), []) == list(range(130))
    assert max(chunk.stop - chunk.start for chunk in found) == most


def test_of_nothing_there_are_no_chunks():
    assert chunks(0, (28, 28, 1)) == []
