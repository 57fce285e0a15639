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
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_map_only
from torch.utils.weak import WeakTensorKeyDictionary

WARM_UP = 3  # steps as they are before one is recorded: a run of a few is over sooner without it

_SAME = (torch.ops.aten.detach.default, torch.ops.aten.lift_fresh.default)  # give what they get
_UNKNOWN = (torch.Tag.data_dependent_output, torch.Tag.nondeterministic_seeded)


class CannotRecord(Exception):
    """A step asks for a number, or draws one unseen, so that it may differ from the next step."""


class StepRecorder:
    """A training step that is recorded for each shape of a batch, and then repeated.

    Args:
        model: a `BackendModel`. What its `train_step` does may depend on the images, on variables
            and on what `draw_shard` draws; all else stays as it was in the step that was recorded.
    """

    def __init__(self, model: keras.Model):
        self._model = model
        self._seen: dict[tuple, int] = {}  # how often each shape was
        self._recordings: dict[tuple, Callable] = {}

    def __call__(self, batches: list) -> dict[str, torch.Tensor]:
        """Train on the one batch that Keras's `fit` gives; returns the numbers to show."""
        images, *_ = keras.utils.unpack_x_y_sample_weight(batches[0])
        images = keras.ops.convert_to_tensor(images)
        kind = images.shape, images.dtype
        if kind in self._recordings:
            return self._recordings[kind](images)
        self._seen[kind] = self._seen.get(kind, 0) + 1
        if self._seen[kind] != WARM_UP:
            return self._model.train_step(images)
        variables = self._model.variables + self._model.optimizer.variables
        before = [variable.value.clone() for variable in variables]
        try:
            result, self._recordings[kind] = record(self._model.train_step, images)
        except CannotRecord:
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)
            return self._model.train_step(images)
        return result


def record(step: Callable, images: torch.Tensor) -> tuple[Any, Callable]:
    """Take a step.

    Returns:
        what it returns, and a function of other images of this shape and dtype that repeats it.

    Raises:
        CannotRecord: the step was begun, but not ended.
    """
    global _recorder
    _recorder = recorder = _Recorder(images)
    try:
        with recorder:
            result = step(images)
    finally:
        _recorder = None
    recorder.graph.output(tree_map_only(torch.Tensor, recorder.node_of, result))
    recorder.graph.eliminate_dead_code(lambda node: node.target is not operator.getitem)
    repeat = GraphModule(torch.nn.Module(), recorder.graph).forward

    def run(images):
        with torch.no_grad():
            for tensor, draw in recorder.draws:
                tensor.copy_(draw())
            return repeat(images, *recorder.kept)

    return result, run


def draw(function: Callable[[], torch.Tensor]) -> torch.Tensor:
    """What a function draws, which it draws anew whenever a recording repeats this step."""
    if _recorder is None:
        return function()
    with _disable_current_modes():
        tensor = function()
    _recorder.draws.append((tensor, function))
    return tensor


class _Recorder(TorchDispatchMode):
    """Writes each operation that PyTorch runs into a graph.

    Attributes:
        graph: a function of the images and of the tensors in `kept`.
        kept: tensors that are not made in the step: variables, constants and what was drawn.
        draws: pairs of a drawn tensor and the function that draws it.
    """

    def __init__(self, images: torch.Tensor):
        super().__init__()
        self.graph = Graph()
        self.kept: list[torch.Tensor] = []
        self.draws: list[tuple[torch.Tensor, Callable]] = []
        self._nodes = WeakTensorKeyDictionary()
        self._nodes[images] = self.graph.placeholder("images")

    def node_of(self, tensor: torch.Tensor):
        """The tensor's place in the graph."""
        if tensor not in self._nodes:
            self._nodes[tensor] = self.graph.placeholder(f"kept_{len(self.kept)}")
            self.kept.append(tensor)
        return self._nodes[tensor]

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """Run an operation and note it."""
        if any(tag in function.tags for tag in _UNKNOWN):
            raise CannotRecord(str(function))
        result = function(*args, **(kwargs or {}))
        if function in _SAME:
            self._nodes[result] = self.node_of(args[0])
            return result
        inputs = tree_map_only(torch.Tensor, self.node_of, (args, kwargs or {}))
        node = self.graph.call_function(function, *inputs)
        if isinstance(result, torch.Tensor):
            self._nodes.setdefault(result, node)  # known already if it was changed in place
        for number, tensor in enumerate(result if isinstance(result, (list, tuple)) else ()):
            if isinstance(tensor, torch.Tensor) and tensor not in self._nodes:
                self._nodes[tensor] = self.graph.call_function(operator.getitem, (node, number))
        return result


_recorder: _Recorder | None = None
