"""What is made of every image: 8 bits per channel from any mode, then one size and channels."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

MAX_TARGET_SIDE = 16_384
GRAY_MODES = ("1", "L", "LA", "I;16", "I", "F")  # as Pillow names them
FILTER = Image.Resampling.LANCZOS
REDUCING_GAP = 3.0  # shrink by whole factors first, down to 3 times the target: fast, unseen
SIDEWAYS = (5, 6, 7, 8)
TURNS = {  # EXIF orientation to what undoes it (Exif 2.32, tag 0x0112)
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Target:
    """How images are fitted: `crop` covers and cuts the middle out, `pad` adds bars."""

    height: int
    width: int
    channels: int
    resize: str = "crop"
    background: tuple[int, int, int] = (255, 255, 255)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels

    def fit(self, image: Image.Image, orientation: int = 1) -> np.ndarray:
        """Resize an 8-bit image (mode L, RGB or RGBa) to a uint8 (height, width, channels).

        `orientation` is the EXIF one. It is applied last, on few pixels, and reckoned with before.
        """
        if self.channels == 1 and image.mode == "RGB":
            image = image.convert("L")
        height, width = self.height, self.width
        if orientation in SIDEWAYS:
            height, width = width, height
        image = self._resized(image, height, width)
        if orientation in TURNS:
            image = image.transpose(TURNS[orientation])
        if self.resize == "pad":
            return self._padded(image)
        return self._channels(image)

    def _resized(self, image: Image.Image, height: int, width: int) -> Image.Image:
        size, box = (width, height), (0.0, 0.0, float(image.width), float(image.height))
        if size == image.size:
            return image
        scale = (max if self.resize == "crop" else min)(width / image.width, height / image.height)
        if self.resize == "crop":
            across, down = width / scale, height / scale
            left, top = max(0, (image.width - across) / 2), max(0, (image.height - down) / 2)
            box = (left, top, min(left + across, image.width), min(top + down, image.height))
        elif self.resize == "pad":
            size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        return image.resize(size, FILTER, box, REDUCING_GAP)

    def _padded(self, image: Image.Image) -> np.ndarray:
        """Centre the image on the background, or on nothing where alpha is kept."""
        canvas = np.empty(self.shape, np.uint8)
        canvas[:] = self._behind()
        top, left = (self.height - image.height) // 2, (self.width - image.width) // 2
        canvas[top : top + image.height, left : left + image.width] = self._channels(image)
        return canvas

    def _channels(self, image: Image.Image) -> np.ndarray:
        """Mode L, RGB or RGBa to an array with the channels asked for."""
        if image.mode != "RGBa":
            wanted = {1: "L", 3: "RGB", 4: "RGBA"}[self.channels]
            image = image if image.mode == wanted else image.convert(wanted)
            return np.asarray(image).reshape(image.height, image.width, -1)
        pixels = np.asarray(image).astype(np.int32)
        colors, alpha = pixels[..., :3], pixels[..., 3:]
        if self.channels == 4:  # the filter overshoots at sharp edges, each channel on its own
            return np.concatenate([np.minimum(colors, alpha), alpha], axis=-1).astype(np.uint8)
        behind = np.array(self.background) * (255 - alpha)
        colors = np.minimum(colors + (behind + 127) // 255, 255).astype(np.uint8)
        if self.channels == 3:
            return colors
        return np.asarray(Image.fromarray(colors).convert("L"))[..., None]

    def _behind(self) -> np.ndarray:
        """The color of the bars, in the channels asked for."""
        if self.channels == 4:
            return np.zeros(4, np.uint8)
        pixel = Image.new("RGB", (1, 1), self.background)
        return np.asarray(pixel.convert("L" if self.channels == 1 else "RGB")).reshape(-1)

    def enough(self, width: int, height: int) -> tuple[int, int]:
        """A (width, height) to which a decoder may shrink unseen: twice the target."""
        side = 2 * max(self.height, self.width)  # either way round: the orientation is read later
        scale = min(1.0, max(side / width, side / height))
        return math.ceil(width * scale), math.ceil(height * scale)


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
