"""The methods of `DCGAN` that show what a trained generator makes, or take it elsewhere."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

from dcgan.export.formats import export_generator
from dcgan.export.walk import Walk, make_walk


class Showing:
    """Walks and exports of a model that has a generator."""

    generate: Callable
    generator: Any
    img_size: tuple[int, int, int]
    input_size: int
    model_hash: Any
    card: dict[str, str]

    def walk(self, seeds: Sequence[int], seconds: float = 12.0, **options: Any) -> Walk:
        """Animate the way through the images of these seeds; see `dcgan.export.walk.make_walk`."""
        return make_walk(self.generate, self.input_size, seeds, seconds, **options)

    def export(
        self, filepath: str | PathLike, format: str | None = None, *, output: str = "float"
    ) -> float:
        """Write the generator as ONNX, LiteRT, SavedModel, Keras or H5; see `export_generator`."""
        facts = {
            "img_size": self.img_size,
            "model": self.model_hash,
            "license": self.card.get("license"),
        }
        return export_generator(self.generator, filepath, format, output=output, facts=facts)
