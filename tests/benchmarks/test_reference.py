"""The PyTorch reference has the published sizes, and trains."""

import pytest

pytestmark = pytest.mark.once


def test_the_reference_has_the_published_sizes(benchmark):
    pytest.importorskip("torch")
    reference = benchmark("reference")
    networks = reference.build_generator(), reference.build_discriminator()
    assert tuple(map(reference.count_weights, networks)) == (3_576_704, 2_765_568)


@pytest.mark.parametrize(
    ("channels_last", "autocast"), [(False, False), (True, False), (True, True)]
)
def test_the_reference_trains_both_networks(benchmark, channels_last, autocast):
    torch = pytest.importorskip("torch")
    made = benchmark("reference").Reference(4, channels_last, autocast, width=4)
    networks = made.generator, made.discriminator
    before = [[weight.detach().clone() for weight in n.parameters()] for n in networks]
    assert len(made.step()) == 5
    for network, weights in zip(networks, before, strict=True):
        assert not any(map(torch.equal, weights, network.parameters()))
