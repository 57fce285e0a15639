"""Resuming: which run folder a training belongs to, and what of the run in it is taken over."""

import json
import logging
import os
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from dcgan.backend.devices import gather_from_processes
from dcgan.data.own_batches import Source, is_stream
from dcgan.errors import ArgumentError, RunError
from dcgan.inspection.advice import sizes_in_words
from dcgan.networks.growing import phase_plans
from dcgan.networks.plan import plan_from_dict
from dcgan.networks.resolve import resolve
from dcgan.optimizers import OPTIMIZERS, changed_settings, optimizer_from_plain, optimizer_to_plain
from dcgan.options import Options, describe_changes, from_plain, in_groups, table, to_plain
from dcgan.storage.checkpoints import Checkpoint
from dcgan.storage.document import POSITION
from dcgan.storage.run_folder import SAMPLE_SET, RunFolder, folder_for, read_run
from dcgan.training.processes import own_position
from dcgan.training.source import ImageSource, run_name, without_held_out
from dcgan.training.state import Learner, TrainingState, restart, restore

logger = logging.getLogger("dcgan")


def choose_folder(
    x: object, save_path: str | os.PathLike[str] | None, resume: bool
) -> tuple[Path, bool]:
    """The run folder for what `fit` was given, and whether to resume a run in it.

    Raises:
        RunError: the folder cannot be written, or is that of the images; said before any is read.
    """
    path = Path(save_path or Path("Results") / run_name(x))
    images = Path(x) if isinstance(x, str | Path) and os.path.exists(x) else None
    if save_path is None:
        resume = resume and not is_stream(x)  # nothing tells one dataset from another
        if resume and images:
            path = folder_for(path, str(images.resolve()))
    elif images and path.exists() and path.samefile(images):
        raise RunError(
            f"save_path must be another folder than that of the images. Received: save_path={path}"
        )
    RunFolder.check(path)
    return path, resume


def run_options(path: Path) -> dict[str, Any]:
    """What `DCGAN` was given where the run at `path` was begun; nothing where there is no run."""
    run = read_run(path)
    if run is None:
        return {}
    options = _parsed(path, run["options"])
    stored = options.pop("network_plan")
    planned = asdict(resolve(from_plain(options))[1])
    if json.loads(json.dumps(planned)) != stored:  # it was given as a plan
        options = {n: v for n, v in options.items() if n not in in_groups("network")}
        options["network_plan"] = stored
    return options


def images_of(x: object, save_path: str | os.PathLike[str] | None) -> object:
    """What to train on: `x`, or for None what the run in the folder was begun with.

    Raises:
        ArgumentError: the run was begun with images that are in no file.
    """
    run = read_run(Path(save_path)) if x is None and save_path is not None else None
    if run is None or run["source"] == SAMPLE_SET:
        return x
    if run["source"] is None:
        raise ArgumentError(
            f"x must be the images that the run in {str(save_path)!r} was begun with, which were "
            "in no file. Received: x=None"
        )
    return run["source"]


def settle(learner: Learner, run: RunFolder, source: Source) -> Source:
    """Compare the settings with those of the run in the folder, and write them down.

    Returns:
        the source to train on.

    Raises:
        RunError: the run cannot be resumed with these settings or images.
    """
    if learner.state.run_id is not None:  # before anything of another run is written over
        _check_same_run(learner, run)
    options, earlier = _run_options(learner), run.earlier
    if earlier is not None and not run.checkpoints.latest():
        earlier = None  # nothing is resumed
    if earlier is not None:
        _compare(run, earlier["options"], options)
    if isinstance(source, ImageSource):
        if earlier is not None:
            source = _compare_images(run.path, earlier, source, learner.options)
        originals = source.images.originals
        sizes = Counter((original.width, original.height) for original in originals)
        facts = {**vars(source.facts), "sizes": sizes_in_words(sizes)}
        run.write_options(options, facts, source.path)
        source.images.write_skipped(run.skipped_path)
    else:
        run.write_options(options, {}, None)
    strength = learner.options.augmentation
    strength = source.augmentation if strength is None else strength
    if learner.augment.set(strength, source.ramp_images):
        learner.model.make_train_function(force=True)
    return source


def _parsed(path: Path, options: Mapping) -> dict[str, Any]:
    """The options of a run as `DCGAN` takes them; nothing in a file names a place to write to.

    Raises:
        RunError: somebody has cut or damaged them.
    """
    given = {name: value for name, value in options.items() if name != "save_path"}
    try:
        if missing := sorted({"network_plan", *OPTIMIZERS} - given.keys()):
            raise ArgumentError(f"it lacks {', '.join(missing)}.")
        plan = asdict(plan_from_dict(given["network_plan"]))
        given["network_plan"] = json.loads(json.dumps(plan))
        given |= {name: optimizer_from_plain(given[name]) for name in OPTIMIZERS}
        from_plain(given)
    except (ArgumentError, KeyError, TypeError) as error:
        raise RunError(
            f"{str(path / 'options.json')!r} is damaged: {str(error).rstrip('.')}. Put it "
            "right, or start a new numbered folder with resume=False."
        ) from error
    return given


def _run_options(learner: Learner) -> dict[str, Any]:
    """The options as a run folder keeps them: given values, the plan, and both optimizers."""
    options: dict[str, Any] = to_plain(learner.options, "network", "training", "data", "run")
    del options["save_path"], options["name"]
    options["network_plan"] = asdict(learner.plan)
    options["optimizer"] = optimizer_to_plain(learner.pair.generator)
    options["discriminator_optimizer"] = optimizer_to_plain(learner.pair.discriminator)
    for name, rate in zip(OPTIMIZERS, learner.state.learning_rates, strict=True):
        options[name]["config"]["learning_rate"] = rate  # as given, not as rollbacks left it
    return json.loads(json.dumps(options))  # as they will be when read back


def _compare(run: RunFolder, earlier: Mapping, now: Mapping) -> None:
    """Refuse settings that a resumed run cannot change, and log those that it can."""
    _parsed(run.path, earlier)
    grows = len(phase_plans(plan_from_dict(now["network_plan"]))) > 1
    # A run that has begun has its weights, however they were initialized.
    plans = [
        asdict(replace(plan_from_dict(given["network_plan"]), initializer="normal"))
        for given in (earlier, now)
    ]
    earlier, now = ({**earlier, "network_plan": plans[0]}, {**now, "network_plan": plans[1]})
    changes = describe_changes(earlier, now)
    if not grows:
        changes.pop("growing", None)
    other_plan = changes.pop("network_plan", None) is not None
    optimizers = [changes.pop(name, None) for name in OPTIMIZERS]
    network = [changes.pop(name) for name in in_groups("network") if name in changes]
    fixed = [name for name, row in table().items() if row.metadata["fixed"]]
    refused = [changes.pop(name) for name in fixed if name in changes]
    if other_plan:
        refused += network or ["its networks have other layers"]
    for name, changed in zip(OPTIMIZERS, optimizers, strict=True):
        kinds = [options[name]["class"] for options in (earlier, now)] if changed else []
        if len(set(kinds)) > 1:
            refused.append(f"{name}: {kinds[0]} in the folder, {kinds[1]} now")
        elif changed:
            changes[name] = changed_settings(name, earlier[name]["config"], now[name]["config"])
    if refused:
        raise RunError(
            f"{str(run.path)!r} holds a run that cannot be resumed with these settings: "
            f"{'; '.join(refused)}. Give the settings of the folder to resume it, or another "
            "save_path, or resume=False for a new numbered folder."
        )
    if changes:
        listing = "; ".join(changes[name] for name in sorted(changes))
        logger.info("Resuming in %s with other settings (%s).", run.path, listing)


def _compare_images(
    path: Path, earlier: Mapping, source: ImageSource, options: Options
) -> ImageSource:
    """Refuse images of another place, and warn where those of the same place have changed.

    Returns:
        the source; with nothing held out, where the run so far has trained on every image.
    """
    before = earlier.get("source")
    known = earlier["data"].get("fingerprint")
    if known not in (None, source.facts.fingerprint):
        there = before and (before == SAMPLE_SET or os.path.exists(before))
        if there and source.path and before != source.path:
            raise RunError(
                f"{str(path)!r} is the run of {before}, and these images are from {source.path}. "
                "Give another save_path, or resume=False for a new numbered folder."
            )
        was, now = earlier["options"], to_plain(options, "data")
        if all(was[name] == now[name] for name in ("resize", "background")):  # which was stated
            message = "The images are not those that the run in %s was trained on so far."
            logger.warning(message, path)
    if earlier["data"].get("held_out") == 0 and source.facts.held_out:
        logger.info("As when this run began, no images are held out; a new run would.")
        return without_held_out(source, options)
    return source


def resume_run(
    learner: Learner, run: RunFolder, source: Source, steps: int | None, initial_epoch: int
) -> dict[str, np.ndarray]:
    """Restore the run's newest checkpoint, or begin a run.

    A model that was trained on other images begins a run of its own in a new folder.

    Args:
        learner, run, source: what is trained, where, and on what.
        steps: steps of an epoch, or None.
        initial_epoch: epoch to count from in a new run.

    Returns:
        the running means, where training resumes within an epoch.
    """
    state = learner.state
    facts = source.facts if isinstance(source, ImageSource) else None
    checkpoint = run.checkpoints.newest()
    means, place = {}, None
    if checkpoint is not None and checkpoint.step >= state.step:
        means = _restore(learner, run, checkpoint, steps)
        place = checkpoint.arrays.get(POSITION)
    else:  # a new run, or the model in memory is ahead of the folder's checkpoint
        elsewhere = state.data is not None and state.data != facts
        if state.run_id is None or (checkpoint is None and elsewhere):
            step = initial_epoch * (steps or 0)
            seen = step * source.batch_size
            kept = {n: getattr(state, n) for n in ("learning_rates", "precision", "fresh", "phase")}
            fresh = TrainingState(step, seen, epochs=initial_epoch, run_id=_new_run_id(), **kept)
            state.become(fresh)
            if elsewhere:
                restart(learner)
        if checkpoint is None:
            run.log.cut_after(state.step or -1)
    state.data = facts
    if source.stream is not None:
        source.stream.begin(state.step, None if place is None else own_position(place.tobytes()))
    return means


def _new_run_id() -> str:
    """A new run id, that of the first process for all."""
    return bytes(gather_from_processes(list(uuid.uuid4().bytes))[0].tolist()).hex()


def position(learner: Learner) -> int:
    """Where a run is in the order of its images, in batches of today's size.

    It is the run's step, unless earlier batches had another size.
    """
    state = learner.state
    if state.data is None:  # a dataset has batches of its own
        return state.step
    return round(state.images_seen / learner.options.batch_size)


def _restore(
    learner: Learner, run: RunFolder, checkpoint: Checkpoint, steps: int | None
) -> dict[str, np.ndarray]:
    state, given = learner.state, learner.state.learning_rates
    run.log.cut_after(checkpoint.step)
    restore(learner, checkpoint.document["training"], checkpoint.arrays)
    if state.learning_rates != given:  # the user has changed them since; these have not failed yet
        learner.pair.rates = state.learning_rates = given
        state.rollbacks = 0
    epoch, within = divmod(position(learner), steps) if steps else (state.epochs, 0)
    logger.info("Resuming in %s from step %d (epoch %d).", run.path, state.step, epoch + 1)
    if not within:
        return {}
    return {n: array for n, array in checkpoint.arrays.items() if n.startswith("state/mean/")}


def _check_same_run(learner: Learner, run: RunFolder) -> None:
    """Refuse a model of another run, or one loaded from an earlier state of this run."""
    checkpoint, state = run.checkpoints.newest(), learner.state
    if checkpoint is None:
        return
    theirs = checkpoint.document["training"]
    if theirs.get("run_id") == state.run_id and checkpoint.step <= state.step:
        return
    raise RunError(
        f"{str(run.path)!r} holds a training of {checkpoint.step} steps that is not this model's "
        f"(which has {state.step} steps). Use resume=False to continue this model in a new "
        "numbered folder, another save_path, or a new DCGAN to resume the folder's training."
    )
