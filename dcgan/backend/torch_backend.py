"""How are gradients taken on PyTorch? By asking autograd for just the wanted ones."""

import keras
import torch


class BackendModel(keras.Model):
    """A Keras model that can take gradients; see the package's opening for what each call does."""

    jit_compile_default = False

    def gradients(self, function, variables=(), inputs=()):
        inputs = [tensor.detach().requires_grad_() for tensor in inputs]
        with torch.enable_grad():
            loss, results = function(*inputs)
            at = [variable.value for variable in variables] + inputs
            found = torch.autograd.grad(loss, at)
        return loss.detach(), results, list(found)

    def pullback(self, function, variables):
        with torch.enable_grad():
            output = function()
        at = [variable.value for variable in variables]
        return output.detach(), lambda gradient: list(torch.autograd.grad(output, at, gradient))

    def train_step(self, data):
        with torch.no_grad():
            return self.update(data)
