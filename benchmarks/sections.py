"""The parts of the speed table: for each its models, its rounds and its rows."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from statistics import median

from benchmarks.rounds import Worker, alternate, median_ratio
from benchmarks.settings import PRECISIONS, Row, Settings, torch_is_installed
from dcgan.networks.presets import find_preset
from dcgan.options import Options

OPTIONS = Options()  # the defaults
PEERS = {  # the PyTorch example: as published, and in two settings that make it faster
    "as published": {"channels_last": False},
    "with channels-last": {"channels_last": True},
    "with channels-last and bfloat16": {"channels_last": True, "autocast": True},
}
TARGETS = {  # times the images per second of each, in turn and in one stage; or on a GPU
    "as published": ("2.2", "2.7", "2.0"),
    "with channels-last and bfloat16": ("1.15", "1.45", "1.1"),
}
DEFAULTS = (  # size, images per step and target; digits are trained 64 at a time
    ([150, 150, 3], 16, "55 %"),
    ([28, 28, 1], 16, "35 %"),
    ([28, 28, 1], 64, "35 %"),
)
MIN_GAIN = 1.1  # times faster that bfloat16 must convolve to be measured: less is noise


def choose_precisions(settings: Settings) -> tuple[Settings, list[Row]]:
    """Settings without bfloat16 where it is no faster here, and a row that says so."""
    if settings.gpu:
        return replace(settings, precisions=PRECISIONS[1:]), []
    with Worker("benchmarks.ours") as ours:
        jobs = {precision: _peak(ours, precision, settings) for precision in PRECISIONS}
        peaks = {name: max(found) for name, found in alternate(jobs, 2).items()}
    gain = peaks["mixed_bfloat16"] / peaks["float32"]
    if gain > MIN_GAIN or settings.quick:
        return settings, []
    row = Row(
        "convolution peak in bfloat16 against float32",
        f"{gain:.2f} times",
        "",
        "no faster here, so mixed_bfloat16 is left out below",
    )
    return replace(settings, precisions=PRECISIONS[:1]), [row]


def training_step(settings: Settings) -> list[Row]:
    """The 64x64 DCGAN: `fit` against the PyTorch example, and the step against the limit."""
    batch = 4 if settings.quick else 128 if settings.gpu else 64
    with ExitStack() as stack:
        ours = stack.enter_context(Worker("benchmarks.ours"))
        jobs, built = {}, {}
        for precision in settings.precisions:
            options = settings.network(preset="dcgan-64", precision=precision)
            built[precision] = ours("build", key=precision, **options | {"batch_size": batch})
            count = settings.count(ours("steps", key=precision, count=2))
            ours("fit", key=precision, count=2)  # Keras prepares the data's shapes once
            jobs |= _step_jobs(ours, precision, count, settings)
            jobs["fit " + precision] = _call(ours, "fit", key=precision, count=count)
            options = {"precision": precision, "scale": settings.scale}
            jobs["matmul " + precision] = _call(ours, "matmul_peak", **options)
        best = settings.precisions[-1]
        options = settings.network(network_plan=_without_norm("dcgan-64"), precision=best)
        facts = ours("build", key="one stage", **options | {"batch_size": batch})
        count = settings.count(ours("steps", key="one stage", count=2))
        jobs["one stage"] = _call(ours, "steps", key="one stage", count=count)
        peers = PEERS if torch_is_installed() else {}
        for name, options in peers.items():
            reference = stack.enter_context(Worker("benchmarks.reference"))
            width = {"width": 8} if settings.quick else {}
            reference("build", key=name, batch_size=batch, **options | width)
            count = settings.count(reference("steps", key=name, count=2))
            jobs[name] = _call(reference, "steps", key=name, count=count)
        times = alternate(jobs, settings.rounds)
    rows = []
    for precision in settings.precisions:
        name = f"dcgan-64, batch {batch}: `fit` in {precision}"
        rows += _peer_rows(name, "fit " + precision, batch, times, 2 if settings.gpu else 0)
        rows.append(_share_row(f"dcgan-64, {precision}", built[precision], precision, times))
    name = f"the same without BatchNorm in D, one stage, bare step in {best}"
    rows += _peer_rows(name, "one stage", batch, times, 1)
    alternating, one_stage = times["step " + best], times["one stage"]
    rows.append(
        Row(
            f"{name}: against updates in turn",
            f"{median_ratio(alternating, one_stage):.2f} times",
            "",
            f"{1000 * median(alternating):,.1f} and {1000 * median(one_stage):,.1f} ms",
        )
    )
    one_stage_share = {"step " + best: one_stage, "peak " + best: times["peak " + best]}
    rows.append(_share_row(f"the same in one stage, {best}", facts, best, one_stage_share))
    rows += [_peak_row(precision, times) for precision in settings.precisions]
    return rows


def _peer_rows(name: str, job: str, batch: int, times: dict, kind: int) -> list[Row]:
    """A job against the PyTorch example in each setting, or alone where there is no PyTorch."""
    ours = batch / median(times[job])
    rows = [
        Row(
            f"{name} against the PyTorch example {peer}",
            f"{median_ratio(times[peer], times[job]):.2f} times",
            TARGETS.get(peer, ("",) * 3)[kind],
            f"{ours:,.0f} and {batch / median(times[peer]):,.0f} images/s",
        )
        for peer in PEERS
        if peer in times
    ]
    return rows or [Row(name, "no PyTorch here", "", f"{ours:,.0f} images/s")]


def _without_norm(preset: str) -> dict:
    """The plan of a preset without BatchNorm in the discriminator."""
    plan = find_preset(preset).plan
    stages = tuple(replace(stage, norm="none") for stage in plan.discriminator)
    return asdict(replace(plan, discriminator=stages))


def default_network(settings: Settings) -> list[Row]:
    """The default network on large color and on small gray images."""
    rows = []
    for size, batch, share in DEFAULTS:
        name = f"{'x'.join(map(str, size))}, batch {batch}"
        jobs, built = {}, {}
        with Worker("benchmarks.ours") as ours:
            for precision in settings.precisions:
                options = settings.network(img_size=size, batch_size=batch, precision=precision)
                built[precision] = ours("build", key=precision, **options)
                count = settings.count(ours("steps", key=precision, count=2), 2.0)
                jobs |= _step_jobs(ours, precision, count, settings)
            options = settings.network(img_size=size, batch_size=batch, augmentation=1.0)
            ours("build", key="augmented", **options)
            count = settings.count(ours("steps", key="augmented", count=2), 2.0)
            jobs["augmented"] = _call(ours, "steps", key="augmented", count=count)
            times = alternate(jobs, settings.rounds)
        for precision, facts in built.items():
            rows.append(
                _share_row(f"default network, {name}, {precision}", facts, precision, times, share)
            )
        # the default precision may be either
        seconds = {p: median(times["step " + p]) for p in built}
        source = ", ".join(f"{p} without: {1000 * s:.1f} ms" for p, s in seconds.items())
        result = f"{1000 * median(times['augmented']):.1f} ms"
        rows.append(Row("the same with full augmentation, precision by itself", result, "", source))
    return rows


def fit_overhead(settings: Settings) -> list[Row]:
    """What `fit` adds to steps of 50 ms, or 5 ms on a GPU."""
    aim = 0.005 if settings.gpu else 0.05
    with Worker("benchmarks.ours") as ours:
        options = settings.network(img_size=[64, 64, 3], augmentation=1.0)
        if settings.gpu:
            options["precision"] = PRECISIONS[1]
        batch = 4
        if not settings.quick:
            ours("build", key="trial", **options | {"batch_size": 16})
            batch = max(1, round(16 * aim / ours("steps", key="trial", count=20)))
        options["batch_size"] = batch
        ours("build", key="network", **options)
        ours("build", key="measured", measure_steps=1, **options)
        count = settings.count(aim, 3.0)
        jobs = {n: _call(ours, n, key="network", count=count) for n in ("steps", "fit")}
        times = alternate(jobs, settings.rounds)
        periodic = ours("periodic", key="network", measured="measured", rounds=settings.rounds)
    step = median(times["steps"])
    every_step = median_ratio(times["fit"], times["steps"]) - 1
    parts = _spread(periodic, step)
    source = f"steps of {1000 * step:.1f} ms (batch {batch}): {100 * every_step:+.1f} % every step"
    source += "".join(f", {100 * part:.1f} % {name}" for name, part in parts.items())
    return [
        Row(
            "`fit` over the bare step",
            f"{100 * (every_step + sum(parts.values())):+.1f} %",
            "10 %" if settings.gpu else "3 %",
            source,
        )
    ]


def _spread(jobs: dict, step: float) -> dict[str, float]:
    """Shares of the periodic jobs in the time of the steps between them, at default intervals."""
    pause = max(OPTIONS.measure_steps * step, jobs["measurement"] / jobs["measurement_share"])
    return {
        "previews": jobs["preview"] / (OPTIONS.sample_steps * step),
        "measuring": jobs["measurement"] / pause,
        "checkpoints": jobs["checkpoint"] / OPTIONS.checkpoint_seconds,
    }


def generating(settings: Settings) -> list[Row]:
    """10,000 images at 64x64: memory, and speed against the bare forward pass."""
    count = 100 if settings.quick else 10_000
    precision = settings.precisions[-1] if settings.gpu else PRECISIONS[0]
    with Worker("benchmarks.ours") as ours:
        options = settings.network(preset="dcgan-64", precision=precision)
        facts = ours("build", key="network", **options)
        ours("generate", key="network", count=64)
        ours("forward", key="network", count=64)
        whole = ours("generate", key="network", count=count)
        few = count // 10
        jobs = {
            "generate": lambda: ours("generate", key="network", count=few)["seconds"],
            "64 images": lambda: ours("generate", key="network", count=64)["seconds"],
            "forward": _call(ours, "forward", key="network", count=few),
            "peak " + precision: _peak(ours, precision, settings),
        }
        times = alternate(jobs, settings.rounds)
    limit = max(times["peak " + precision])
    needed = few * facts["generator_flops"]
    shares = {name: needed / median(times[name]) / limit for name in ("generate", "forward")}
    return [
        Row(
            f"generate({count:,}): memory beyond the images themselves",
            f"{whole['growth'] / 1e6:,.0f} MB",
            "bounded",
            f"{whole['seconds']:.1f} s, {count / whole['seconds']:,.0f} images/s",
        ),
        Row(
            "generate(64), after the first call",
            f"{1000 * median(times['64 images']):.1f} ms",
            "20 ms" if settings.gpu else "",
        ),
        Row(
            "generate against the bare forward pass",
            f"{100 * median_ratio(times['forward'], times['generate']):.0f} %",
            "80 %",
            f"{precision}: {100 * shares['generate']:.0f} % and {100 * shares['forward']:.0f} % of "
            "the convolution peak",
        ),
    ]


def _call(worker: Worker, function: str, **arguments) -> Callable[[], float]:
    return lambda: worker(function, **arguments)


def _peak(ours: Worker, precision: str, settings: Settings) -> Callable[[], float]:
    return _call(ours, "convolution_peak", precision=precision, scale=settings.scale)


def _step_jobs(ours: Worker, precision: str, count: int, settings: Settings) -> dict:
    """The bare step of the model of that name, and beside it the peak in its precision."""
    return {
        "step " + precision: _call(ours, "steps", key=precision, count=count),
        "peak " + precision: _peak(ours, precision, settings),
    }


def _share_row(name: str, facts: dict, precision: str, times: dict, target: str = "") -> Row:
    seconds, limit = median(times["step " + precision]), max(times["peak " + precision])
    source = f"{facts['flops'] / 1e9:,.1f} GFLOP in {1000 * seconds:,.1f} ms"
    result = f"{100 * facts['flops'] / seconds / limit:.0f} %"
    return Row(f"{name}: share of the convolution peak", result, target, source)


def _peak_row(precision: str, times: dict) -> Row:
    convolution, product = (max(times[f"{n} {precision}"]) / 1e9 for n in ("peak", "matmul"))
    result = f"{convolution:,.0f} GFLOP/s"
    return Row(f"convolution peak, {precision}", result, "", f"matmul {product:,.0f} GFLOP/s")
