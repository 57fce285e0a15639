"""Gradients on PyTorch: autograd is asked for the wanted ones only."""

from contextlib import nullcontext

import keras
import torch

from dcgan.backend.torch_layers import FASTER_LAYERS, move
from dcgan.backend.torch_recording import StepRecorder

__all__ = ["FASTER_LAYERS", "BackendModel", "move"]

# What a step goes through: where a subclass has its own, the step is not recorded
STEP_METHODS = (
    "train_step", "update", "discriminator_step", "generator_step", "discriminator_logits",
    "gradients", "pullback",
)  # fmt: skip


def accelerators() -> int:
    """How many GPUs there are; Apple's, through MPS, is one."""
    return torch.cuda.device_count() or int(torch.backends.mps.is_available())


def multiplies_bfloat16() -> bool | None:
    """Whether the GPU multiplies bfloat16 (NVIDIA: from Ampere on); None where there is none."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_capability() >= (8, 0)
    return None


class BackendModel(keras.Model):
    """A Keras model that takes gradients; `dcgan.backend` says what each method does."""

    jit_compile_default = False

    def make_train_function(self, force=False):
        """Make what `fit` calls for each batch: the step, recorded where no subclass has its own.

        A subclass's step may depend on what is no tensor, such as a number that it counts in
        Python, and which a recording would not count.
        """
        if self.train_function is not None and not force:
            return
        super().make_train_function(force)
        methods = [getattr(self, name) for name in STEP_METHODS]
        ours = all(method.__module__.startswith("dcgan.") for method in methods)
        if ours and not self.run_eagerly and not self.jit_compile:
            self.train_function = StepRecorder(self)

    def gradients(self, function, variables=(), inputs=()):
        inputs = [tensor.detach().requires_grad_() for tensor in inputs]
        with torch.enable_grad():
            loss, results = function(*inputs)
            at = [variable.value for variable in variables] + inputs
            found = torch.autograd.grad(loss, at)
        return loss.detach(), results, found[: len(variables)], found[len(variables) :]

    def pullback(self, function, variables):
        with torch.enable_grad():
            output = function()
        at = [variable.value for variable in variables]
        return output.detach(), lambda gradient: list(torch.autograd.grad(output, at, gradient))

    def train_step(self, data):
        with torch.no_grad():
            return self.update(data)

    def stream(self, batches):
        return batches

    def scope(self):
        return nullcontext()

    def predict_here(self, network, inputs):
        return network.predict_on_batch(inputs)
