"""What differs between TensorFlow, JAX and PyTorch: gradients and `train_step`, a file for each.

Each file's `BackendModel` is a `keras.Model` with six methods:

- `gradients(function, variables=(), inputs=())` calls `function(*inputs)`, which returns a scalar
  loss and any other results. It returns the loss, those results, the list of the loss's gradients
  at `variables`, and the list of its gradients at `inputs`.
- `pullback(function, variables)` calls `function()`, which returns a tensor. It returns that tensor
  and a function that turns a gradient at the tensor into the list of gradients at `variables`; that
  function can be called once.
- `train_step`, which Keras's `fit` calls, runs the model's own `update(images)`.
- `stream(batches)` is what to give to `fit` for a `PyDataset` without end, of batches of one size.
- `scope()` is where to make variables that all of the model's devices have.
- `predict_here(network, inputs)` is the array that a network gives, computed by this process alone.

`multiplies_bfloat16()` says whether the GPU or TPU does; None where only the processor is used.
`move(variable, target, share)` moves a variable towards a tensor by a share of the way.
`jit_compile_default` is what Keras's `compile` is told. `FASTER_LAYERS` are classes to train with
in place of Keras's, which have the same weights and results.
"""

from importlib import import_module

import keras

_backend = import_module(f"dcgan.backend.{keras.backend.backend()}_backend")
BackendModel, FASTER_LAYERS = _backend.BackendModel, _backend.FASTER_LAYERS
move = _backend.move

__all__ = ["FASTER_LAYERS", "BackendModel", "move"]
