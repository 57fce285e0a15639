"""What does each player want? The losses, from logits to one number."""

from keras import ops

LARGEST_EXPONENT = 60.0  # beyond, the gradient that it multiplies has become 0 in float32


def discriminator_loss(real_logits, fake_logits):
    """Cross-entropy of calling real images real and fakes fake (Goodfellow et al. 2014, eq. 1).

    Args:
        real_logits, fake_logits: float tensors `(n, 1)`.

    Returns:
        A scalar: the mean over real images plus the mean over fakes.
    """
    return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))


def generator_loss(fake_logits):
    """The non-saturating loss: fakes are to be called real (Goodfellow et al. 2014, section 3).

    Args:
        fake_logits: float tensor `(n, 1)`.

    Returns:
        A scalar, the mean over fakes.
    """
    return ops.mean(ops.softplus(-fake_logits))


def from_discriminators_gradient(gradient, fake_logits):
    """The gradient of `generator_loss` at the fakes, from that of `discriminator_loss`.

    Both reach a fake through its logit alone, so they differ by a factor per image: that of
    their slopes there, `-exp(-logit)` (Shen et al. 2021, arXiv 2103.00430: one-stage training).

    Args:
        gradient: float tensor `(n, H, W, C)`, of the discriminator's loss.
        fake_logits: float tensor `(n, 1)` of a discriminator that judges each image by itself.
    """
    factor = -ops.exp(ops.minimum(-fake_logits, LARGEST_EXPONENT))
    return gradient * ops.reshape(factor, (-1, 1, 1, 1))
