"""Ends a training at the end of the epoch in which its status became "done"."""

import keras


class UntilDone(keras.callbacks.Callback):
    """Pass it to `fit`: training ends once more of it is not expected to help."""

    def on_epoch_end(self, epoch, logs=None):
        """Stop where the status says so."""
        if self.model.state.status == "done":
            self.model.stop_training = True
