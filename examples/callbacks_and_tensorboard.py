"""Use any Keras callback: python -m examples.callbacks_and_tensorboard path/to/images

`fit` calls them besides its own. Look at the curves with: tensorboard --logdir Results
(which needs: pip install tensorboard).
"""

import sys

from dcgan import DCGAN

# isort: split
import keras  # after dcgan, which turns TensorFlow's faster convolutions on


class StopWhenFooled(keras.callbacks.Callback):
    """Stops training when generated images score higher than real ones."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch >= 20 and logs["d_fake"] > logs["d_real"]:
            self.model.stop_training = True


def halve_every_50_epochs(epoch):
    """Learning rate of the generator; the discriminator's is scaled by the same factor."""
    return 2e-4 * 0.5 ** (epoch // 50)


def main(folder, run="Results/callbacks", epochs=200, **options):
    gan = DCGAN(save_path=run, **options)
    return gan.fit(
        folder,
        epochs=epochs,
        verbose=2,
        callbacks=[
            keras.callbacks.TensorBoard(f"{run}/logs", write_graph=False),
            keras.callbacks.CSVLogger(f"{run}/losses.csv", append=True),
            keras.callbacks.LearningRateScheduler(halve_every_50_epochs),
            StopWhenFooled(),
        ],
    )


if __name__ == "__main__":
    main(sys.argv[1])
