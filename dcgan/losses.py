"""The losses of both networks, from logits to a scalar."""

from keras import ops

MAX_EXPONENT = 60.0  # beyond it, the gradient that the factor multiplies is 0 in float32


def discriminator_loss(real_logits, fake_logits):
    """Cross-entropy with real images labeled 1 and fakes 0 (Goodfellow et al. 2014, eq. 1).

    Args:
        real_logits, fake_logits: float tensors `(n, 1)`.

    Returns:
        A scalar: the mean over real images plus the mean over fakes.
    """
    return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))


def generator_loss(fake_logits):
    """The non-saturating loss: cross-entropy with fakes labeled 1 (Goodfellow et al. 2014, sec. 3).

    Args:
        fake_logits: float tensor `(n, 1)`.

    Returns:
        A scalar, the mean over fakes.
    """
    return ops.mean(ops.softplus(-fake_logits))


# The losses that one pass of the discriminator can serve: `generator_gradient` knows their slopes
USUAL = {discriminator_loss, generator_loss}


def generator_gradient(discriminator_gradient, fake_logits):
    """The gradient of `generator_loss` at the fakes, from that of `discriminator_loss`.

    Both losses depend on a fake only through its logit, so their gradients differ by a factor per
    image, the ratio of their slopes: `-exp(-logit)` (Shen et al. 2021, arXiv 2103.00430).

    Args:
        discriminator_gradient: float tensor `(n, H, W, C)`, the gradient of `discriminator_loss`.
        fake_logits: float tensor `(n, 1)` of a discriminator without coupling between images.

    Returns:
        A float tensor `(n, H, W, C)`.
    """
    factor = -ops.exp(ops.minimum(-fake_logits, MAX_EXPONENT))
    return discriminator_gradient * ops.reshape(factor, (-1, 1, 1, 1))
