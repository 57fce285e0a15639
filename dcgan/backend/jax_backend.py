"""Gradients on JAX: of pure functions, made from stateful ones by Keras's stateless scopes."""

from contextlib import nullcontext

import jax
import keras


def accelerators() -> int:
    """How many GPUs or TPUs there are."""
    return sum(device.platform != "cpu" for device in jax.devices())


def multiplies_bfloat16() -> bool:
    """Whether the device multiplies bfloat16; XLA's processor code is slower in it."""
    device = jax.devices()[0]
    capability = float(getattr(device, "compute_capability", None) or 0)  # NVIDIA: Ampere is 8.0
    return device.platform == "tpu" or capability >= 8


FASTER_LAYERS: dict = {}  # XLA makes Keras's fast


def move(variable, target, share) -> None:
    variable.assign(variable.value + share * (target - variable.value))


class BackendModel(keras.Model):
    """A Keras model that takes gradients; `dcgan.backend` says what each method does."""

    jit_compile_default = "auto"

    def gradients(self, function, variables=(), inputs=()):
        others = self._others(variables)

        def pure(values, inputs):
            (loss, results), state = self._run(lambda: function(*inputs), variables, values, others)
            return loss, (results, state)

        take = jax.value_and_grad(pure, argnums=(0, 1), has_aux=True)
        (loss, (results, state)), found = take([v.value for v in variables], list(inputs))
        _assign(others, state)
        return loss, results, found[0], found[1]

    def pullback(self, function, variables):
        others = self._others(variables)
        output, pull, state = jax.vjp(
            lambda values: self._run(function, variables, values, others),
            [variable.value for variable in variables],
            has_aux=True,
        )
        _assign(others, state)
        return output, lambda gradient: pull(gradient)[0]

    def train_step(self, state, data):
        """Run the stateful update inside one scope over all of Keras's state, and read it back."""
        lists = self._state_lists()
        mapping = [
            pair
            for variables, values in zip(lists, state, strict=True)
            for pair in zip(variables, values, strict=True)
        ]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            logs = self.update(data)
        return logs, tuple([scope.get_current_value(v) for v in part] for part in lists)

    def stream(self, batches):
        return batches

    def scope(self):
        return nullcontext()

    def predict_here(self, network, inputs):
        if jax.process_count() == 1:
            return network.predict_on_batch(inputs)
        here = [
            [variable.value.addressable_data(0) for variable in variables]
            for variables in (network.trainable_variables, network.non_trainable_variables)
        ]
        return network.stateless_call(*here, inputs, training=False)[0]

    def _get_jax_state(self, purge_model_variables=False, **which):
        """What Keras hands to a step, after which the variables are empty.

        It is kept, so that they can be filled again where an error comes before the step is done.
        """
        state = super()._get_jax_state(purge_model_variables=purge_model_variables, **which)
        if purge_model_variables:
            self._jax_state = dict(zip(which, state, strict=True))
        return state

    def _state_lists(self):
        """All variables, in the four lists and the order in which Keras hands them over."""
        optimizer = getattr(self, "optimizer", None)  # a generator alone has none
        return (
            self.trainable_variables,
            self.non_trainable_variables,
            [] if optimizer is None else optimizer.variables,
            self.metrics_variables,
        )

    def _others(self, variables):
        given = {id(variable) for variable in variables}
        return [v for part in self._state_lists() for v in part if id(v) not in given]

    def _run(self, function, variables, values, others):
        """Call `function` with `variables` at `values`; return its result and `others` after it.

        A scope inside a scope does not look outwards, so this one is given every variable.
        """
        mapping = [*zip(variables, values, strict=True), *((v, v.value) for v in others)]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            result = function()
        return result, [scope.get_current_value(v) for v in others]


def _assign(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
