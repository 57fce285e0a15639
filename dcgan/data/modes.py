"""Images of any mode (16 bit, float, CMYK, palette, ...) with 8 bits per channel."""

import numpy as np
from PIL import Image, ImageCms

GRAY_MODES = ("1", "L", "LA", "I;16", "I", "F")  # as Pillow names them


def to_eight_bits(image: Image.Image) -> Image.Image:
    """Convert a loaded image to mode L, RGB or, where it has transparency, RGBa (premultiplied).

    Values are scaled, never clipped: 16 bits by 65535 (or by the fewer bits that the file states).

    Raises:
        ValueError: the image holds values that cannot be scaled, such as NaN.
    """
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image
    if image.mode == "I" or image.mode == "F" or image.mode.startswith("I;16"):
        image = _scale(image)
    if image.has_transparency_data:
        return image.convert("RGBA").convert("RGBa")
    if image.mode == "LAB":
        return _from_lab(image)
    return image.convert("L" if image.mode in ("1", "L", "LA") else "RGB")


def _scale(image: Image.Image) -> Image.Image:
    """Gray with more than 8 bits to mode L, or LA where one value means transparent."""
    values = np.asarray(image)
    low, high = _range(image, values)
    scaled = (values.astype(np.float32) - low) * (255 / (high - low))
    gray = Image.fromarray(np.clip(scaled + 0.5, 0, 255).astype(np.uint8))
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        gray.putalpha(Image.fromarray(np.uint8(values != transparent) * np.uint8(255)))
    return gray


def _range(image: Image.Image, values: np.ndarray) -> tuple[float, float]:
    """Which values are black and white. What the file says; else what its values suggest."""
    if image.mode.startswith("I;16"):
        bits = getattr(image, "tag_v2", {}).get(258, (16,))[0]  # TIFF BitsPerSample: 12 is common
        return 0.0, float(2 ** min(max(int(bits), 9), 16) - 1)
    lowest, highest = float(values.min()), float(values.max())
    if not np.isfinite([lowest, highest]).all():
        raise ValueError("it holds values that are not numbers (NaN or infinite)")
    usual = (1.0, 255.0, 65535.0) if image.mode == "F" else (65535.0,)
    for white in usual:
        if lowest >= 0 and highest <= white:
            return 0.0, white
    return lowest, highest if highest > lowest else lowest + 1


def _from_lab(image: Image.Image) -> Image.Image:
    """CIE LAB, which Pillow converts only through color profiles."""
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    if converted is None:
        raise ValueError("its LAB colors could not be converted")
    return converted
