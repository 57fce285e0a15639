"""How does the generator that is kept follow the one that is trained? As its moving average."""

from keras import ops


def move_average(kept, trained, momentum: float, steps) -> None:
    """Move every weight of `kept` a little towards that of `trained`, BatchNorm's statistics too.

    Args:
        kept, trained: two models of the same shape.
        momentum: share that stays, in [0, 1). Early on it is lower, (1 + steps) / (10 + steps) as
            in TensorFlow's ExponentialMovingAverage, so that the random start is soon forgotten.
        steps: training steps so far, a float32 scalar tensor.
    """
    momentum = ops.minimum(momentum, (1 + steps) / (10 + steps))
    for average, weight in zip(kept.weights, trained.weights, strict=True):
        average.assign(average + (1 - momentum) * (weight - average))
