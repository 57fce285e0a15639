"""What does each player want? The losses, from logits to one number."""

from keras import ops


def discriminator_loss(real_logits, fake_logits, smoothing: float = 0.0):
    """Cross-entropy of calling real pictures real and fakes fake (Goodfellow et al. 2014, eq. 1).

    Args:
        real_logits, fake_logits: float tensors `(n, 1)`.
        smoothing: real pictures are to score `1 - smoothing` rather than 1 (one-sided label
            smoothing, Salimans et al. 2016, section 3.4), in [0, 1).

    Returns:
        A scalar: the mean over real pictures plus the mean over fakes.
    """
    real = ops.softplus(-real_logits) + smoothing * real_logits
    return ops.mean(real) + ops.mean(ops.softplus(fake_logits))


def generator_loss(fake_logits):
    """The non-saturating loss: fakes are to be called real (Goodfellow et al. 2014, section 3).

    Args:
        fake_logits: float tensor `(n, 1)`.

    Returns:
        A scalar, the mean over fakes.
    """
    return ops.mean(ops.softplus(-fake_logits))
