"""The methods of `DCGAN` that show what a trained generator makes, or take it elsewhere."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

from PIL import Image

from dcgan.data.target import Target
from dcgan.errors import ArgumentError
from dcgan.export.formats import export_generator
from dcgan.export.project import Projection, fitted_image, project_image
from dcgan.export.walk import Seed, Walk, make_walk
from dcgan.images import enlarged_grid, to_pillow
from dcgan.options import Options
from dcgan.pages.templating import data_uri

SHOWN = 8  # images that a notebook shows of a model


class Showing:
    """Grids, walks and exports of a model that has a generator."""

    generate: Callable
    gradients: Callable
    generator: Any
    discriminator: Any
    img_size: tuple[int, int, int]
    input_size: int
    model_hash: Any
    options: Options
    state: Any  # a TrainingState
    card: dict[str, str]

    @property
    def status(self) -> str:
        """How training goes in a word or two, such as "learning" or "collapsing"."""
        return self.state.status

    def show(self, n: int = 16, seed: int = 0) -> Image.Image:
        """A grid of the images that `generate(n, seed)` gives, as a Pillow image."""
        return to_pillow(enlarged_grid(self.generate(n, seed)))

    def _repr_html_(self) -> str:
        """What a notebook shows of a model: eight images and three lines."""
        size = " x ".join(map(str, self.img_size))
        weights = f"{self.generator.count_params():,}"
        lines = (
            f"DCGAN of {size} images, depth {self.options.depth}",
            f"{weights} weights in the generator",
            f"{self.state.step:,} training steps, status: {self.state.status}",
        )
        samples = data_uri(enlarged_grid(self.generate(SHOWN), SHOWN))
        image = f'<img alt="generated samples" style="max-width:100%" src="{samples}">'
        return f"{image}<div>{'<br>'.join(lines)}</div>"

    def walk(self, seeds: Sequence[Seed], seconds: float = 12.0, **options: Any) -> Walk:
        """Animate the way through the images of these seeds; see `dcgan.export.walk.make_walk`."""
        return make_walk(self.generate, self.input_size, seeds, seconds, **options)

    def project(
        self, image: object, *, starts: int = 8, steps: int = 200, seed: int = 0, **options: Any
    ) -> Projection:
        """Find the latent whose image is nearest to `image`, a path or an array.

        See `dcgan.export.project.project_image`.
        """
        self._check_grown()
        target = Target(*self.img_size, self.options.resize, self.options.background)
        pieces = self.generator, self.discriminator, self.gradients, fitted_image(image, target)
        return project_image(*pieces, starts=starts, steps=steps, seed=seed, **options)

    def export(
        self, filepath: str | PathLike, format: str | None = None, *, output: str = "float"
    ) -> float:
        """Write the generator as ONNX, LiteRT, SavedModel, Keras, H5 or a web page.

        See `dcgan.export.formats.export_generator`.
        """
        self._check_grown()
        facts = {
            "img_size": self.img_size,
            "model": self.model_hash,
            "license": self.card.get("license"),
        }
        return export_generator(self.generator, filepath, format, output=output, facts=facts)

    def _check_grown(self) -> None:
        """Refuse networks that are still smaller than those of the plan."""
        height, width, _ = self.generator.output_shape[1:]
        if (height, width) != tuple(self.img_size[:2]):
            raise ArgumentError(
                f"The networks of this model are still growing: they make images of {height} x "
                f"{width} pixels, {self.img_size[0]} x {self.img_size[1]} from the second half of "
                "the run on. Continue its training first."
            )
