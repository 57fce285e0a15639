"""Training steps that PyTorch repeats as a list of operations, without going through Keras again.

Keras runs layer after layer in Python, which on a GPU takes ten times as long as the operations
themselves. They are the same in every step, so one step is recorded, and repeated from then on.
"""

import operator
from collections.abc import Callable
from typing import Any

import keras
import torch
from torch.fx import Graph, GraphModule
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import (
    TorchDispatchMode,
    _disable_current_modes,
    _get_current_dispatch_mode,
)
from torch.utils._pytree import tree_map_only
from torch.utils.weak import WeakIdKeyDictionary, WeakTensorKeyDictionary

WARM_UP = 3  # steps as they are before one is recorded: a run of a few is over sooner without it

_aten = torch.ops.aten
_CHANGING = (  # what such an operation gives may be another number or shape in the next step
    torch.Tag.data_dependent_output,
    torch.Tag.dynamic_output_shape,
    torch.Tag.nondeterministic_seeded,
)
_READING = {getattr(torch.Tensor, name) for name in ("numpy", "tolist", "__array__", "__dlpack__")}


class CannotRecord(Exception):
    """A step reads a number, or draws one unseen, so that the next step may differ."""


class StepRecorder:
    """A training step that is recorded for each shape of a batch, and then repeated.

    Args:
        model: a `BackendModel`. What its `train_step` does may depend on the images, on variables
            and on what `draw_shard` draws; all else stays as it was in the step that was recorded.
    """

    def __init__(self, model: keras.Model):
        self._model = model
        self._steps: dict[tuple, int] = {}  # taken with batches of each kind
        self._recordings: dict[tuple, Callable] = {}

    def __call__(self, batches: list) -> dict[str, torch.Tensor]:
        """Train on the one batch that Keras's `fit` gives; returns the numbers to show."""
        images, *_ = keras.utils.unpack_x_y_sample_weight(batches[0])
        images = keras.ops.convert_to_tensor(images)
        kind = images.shape, images.stride(), images.dtype
        if kind in self._recordings:
            return self._recordings[kind](images)
        self._steps[kind] = self._steps.get(kind, 0) + 1
        if self._steps[kind] != WARM_UP:
            return self._model.train_step(images)
        model = self._model
        variables = model.variables + model.optimizer.variables + model.metrics_variables
        before = [variable.value.clone() for variable in variables]
        try:
            result, self._recordings[kind] = record(model.train_step, images)
        except Exception:  # an error that is not of recording comes again
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)
            return model.train_step(images)
        return result


def record(step: Callable, images: torch.Tensor) -> tuple[Any, Callable]:
    """Take a step.

    Returns:
        what it returns, and a function of other images of this kind that repeats it.

    Raises:
        CannotRecord: the step may not be the same next time.
    """
    recorder = _Recorder(images)
    with _NoReading(recorder), recorder:
        result = step(images)
    if recorder.refused:  # and the step has gone on all the same
        raise CannotRecord(recorder.refused)
    recorder.graph.output(tree_map_only(torch.Tensor, recorder.node_of, result))
    operations = GraphModule(torch.nn.Module(), recorder.graph).forward
    draws, kept = recorder.draws, recorder.kept

    def repeat(images):
        with torch.no_grad():
            for tensor, function in draws:
                tensor.copy_(function())
            return operations(images, *kept)

    return result, repeat


def draw(function: Callable[[], torch.Tensor]) -> torch.Tensor:
    """What a function draws, which it draws anew whenever a recording repeats this step."""
    recorder = _get_current_dispatch_mode()
    if not isinstance(recorder, _Recorder):
        return function()
    with _disable_current_modes():  # or the numbers drawn now would be those of every step
        tensor = function()
    recorder.draws.append((tensor, function))
    return tensor


class _Recorder(TorchDispatchMode):
    """Writes each operation that PyTorch runs into a graph.

    Attributes:
        graph: a function of the images and of the tensors in `kept`.
        kept: tensors that are not made in the step: variables, constants and what was drawn.
        draws: pairs of a drawn tensor and the function that draws it.
        refused: what cannot be recorded, if the step has done such a thing.
    """

    def __init__(self, images: torch.Tensor):
        super().__init__()
        self.graph = Graph()
        self.kept: list[torch.Tensor] = []
        self.draws: list[tuple[torch.Tensor, Callable]] = []
        self.refused = ""
        self._device = images.device
        self._constants = WeakIdKeyDictionary()
        self._nodes = WeakTensorKeyDictionary()
        self._nodes[images] = self.graph.placeholder("images")

    def node_of(self, tensor: torch.Tensor):
        """The tensor's place in the graph."""
        if tensor not in self._nodes:
            self._nodes[tensor] = self.graph.placeholder(f"kept_{len(self.kept)}")
            self.kept.append(tensor)
        return self._nodes[tensor]

    def refuse(self, what: object):
        """End the step, which cannot be recorded."""
        self.refused = str(what)
        raise CannotRecord(self.refused)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """Run an operation and note it."""
        kwargs = kwargs or {}
        if any(tag in function.tags for tag in _CHANGING):
            self.refuse(function)
        if function._schema.is_mutable and args[0] in self._constants:
            self.refuse(f"{function} of a constant")
        if function is _aten.scalar_tensor.default:  # moved to the device in every step otherwise
            kwargs = {**kwargs, "device": self._device}
        result = function(*args, **kwargs)
        if function in (_aten.lift_fresh.default, _aten.scalar_tensor.default):
            self._constants[result] = True
        elif function is _aten.detach.default:
            self._nodes[result] = self.node_of(args[0])
        else:
            inputs = tree_map_only(torch.Tensor, self.node_of, (args, kwargs))
            self._note(result, self.graph.call_function(function, *inputs))
        return result

    def _note(self, result, node) -> None:
        """Note where what an operation gives is in the graph."""
        if isinstance(result, torch.Tensor):
            self._nodes.setdefault(result, node)  # known already if it was changed in place
        elif isinstance(result, (list, tuple)):
            for number, part in enumerate(result):
                if part is not None:
                    self._note(part, self.graph.call_function(operator.getitem, (node, number)))


class _NoReading(TorchFunctionMode):
    """Refuses what hands a tensor's numbers to Python or NumPy, which no `_Recorder` sees."""

    def __init__(self, recorder: _Recorder):
        super().__init__()
        self._recorder = recorder

    def __torch_function__(self, function, types, args=(), kwargs=None):
        """Call a function of PyTorch's, unless it reads."""
        if function in _READING:
            self._recorder.refuse(function)
        return function(*args, **(kwargs or {}))
