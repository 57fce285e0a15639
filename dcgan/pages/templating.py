"""The templates that all pages share, and images as they stand in a page."""

import base64
import io

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from dcgan.images import to_pillow


def render(template: str, **values: object) -> str:
    """Fill a template of `dcgan/pages/templates`; all text is escaped."""
    templates = Environment(
        loader=PackageLoader("dcgan.pages"), autoescape=True, undefined=StrictUndefined
    )
    return templates.get_template(template).render(values)


def webp(image: np.ndarray, quality: int = 85) -> str:
    """A uint8 image `(H, W, C)` as base64 of a WebP file."""
    buffer = io.BytesIO()
    to_pillow(image).save(buffer, "webp", quality=quality)
    return base64.b64encode(buffer.getvalue()).decode()


def data_uri(image: np.ndarray, quality: int = 85) -> str:
    """A uint8 image `(H, W, C)` as the `src` of an `<img>`."""
    return f"data:image/webp;base64,{webp(image, quality)}"
