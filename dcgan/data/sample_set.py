"""The sample set: seascapes of any size, drawn from a seed."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

SUPERSAMPLING = 2  # drawn this much larger, then averaged: smooth edges at 28 pixels too


@dataclass(frozen=True)
class Daytime:
    """The colors of one time of day, each as red, green, blue in hexadecimal."""

    zenith: str
    horizon: str
    light: str  # sun or moon, and its path on the water
    far_sea: str
    near_sea: str
    sand: str
    brightness: float = 1.0  # of everything that is white by day: clouds, foam, sails


DAYTIMES = (
    Daytime("5c78be", "ffcdb2", "fff0cd", "9696b9", "3e688c", "d6b496"),
    Daytime("2674d6", "bee2f6", "fffce1", "3a84ba", "1ca8b2", "f0d6a0"),
    Daytime("4696de", "e2f0f0", "fffad2", "286eaa", "46babe", "eccd96"),
    Daytime("483e82", "ff9246", "ffe08c", "b0605c", "3a3868", "b07858", 0.9),
    Daytime("784678", "ffb478", "ffd2a0", "b47882", "464a78", "be8c6e", 0.9),
    Daytime("222654", "d47086", "ffbeaa", "684c76", "202a54", "685660", 0.7),
    Daytime("080c26", "2c3e6c", "ecf0fa", "1a284e", "0a1630", "3a3c4e", 0.5),
    Daytime("707c8a", "c4cacc", "e2e4e0", "687c86", "426068", "aa9e8a", 0.88),
)


def draw_seascapes(count: int, img_size: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """Draw `count` small images of sky, sun or moon, waves, foam and sand.

    Image `i` of a seed is always the same scene, however many are drawn and at whatever size.

    Args:
        count: how many images, at least 1.
        img_size: (height, width, channels); 1 channel is gray, 3 is color, 4 is the scene in a
            round porthole with nothing around it (straight alpha, as in any array of images).
        seed: which set; a whole number from 0 on.

    Returns:
        uint8 array (count, height, width, channels).

    Examples:
        >>> draw_seascapes(2, (28, 40, 3)).shape
        (2, 28, 40, 3)
    """
    height, width, channels = img_size
    images = np.empty((count, height, width, channels), np.uint8)
    for index in range(count):
        images[index] = _draw(height, width, channels, seed, index)
    return images


def _draw(height: int, width: int, channels: int, seed: int, index: int) -> np.ndarray:
    """One image, uint8 (height, width, channels)."""
    random = np.random.Generator(np.random.Philox(key=[seed % 2**64, index]))
    scene = _Scene(height * SUPERSAMPLING, width * SUPERSAMPLING, random)
    scene.draw()
    canvas = np.clip(scene.canvas * 255 + 0.5, 0, 255).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(canvas.transpose(1, 2, 0))).reduce(SUPERSAMPLING)
    if channels == 1:
        return np.asarray(image.convert("L"))[..., None]
    if channels == 3:
        return np.asarray(image)
    hole = np.clip((0.97 - np.hypot(2 * scene.x - 1, 2 * scene.y - 1)) * min(height, width), 0, 1)
    hole = np.asarray(Image.fromarray(np.uint8(hole * 255)).reduce(SUPERSAMPLING))[..., None]
    return np.concatenate([np.asarray(image), hole], axis=-1)


class _Scene:
    """A canvas (3, height, width) in [0, 1], painted from the sky down to the sand.

    Places are fractions: x from left 0 to right 1, y from top 0 to bottom 1. Color comes first
    because painting is then three plain planes, several times faster than interleaved.
    """

    def __init__(self, height: int, width: int, random: np.random.Generator):
        self.random = random
        self.daytime = DAYTIMES[random.integers(len(DAYTIMES))]
        self.y = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
        self.x = ((np.arange(width, dtype=np.float32) + 0.5) / width)[None, :]
        self.pixel = 1 / height  # one row, as a fraction
        self.aspect = width / height
        self.canvas = np.zeros((3, height, width), np.float32)
        self.horizon = self._uniform(0.34, 0.56)
        self.shore = self._uniform(0.74, 0.92) if random.random() < 0.8 else 1.2
        self.light_x = self._uniform(0.12, 0.88)
        self.light_y = self.horizon - self._uniform(0.02, 0.3)
        self.has_light = random.random() < 0.8
        self.white = self.daytime.brightness

    def draw(self) -> None:
        """Paint all layers, far to near; each draws from `random` in this order at any size."""
        self._sky()
        if self.daytime.brightness < 0.6:
            self._stars()
        self._light()
        self._clouds()
        if self.random.random() < 0.45:
            self._island()
        self._sea()
        if self.random.random() < 0.5:
            self._sail()
        self._beach()

    def _blend(self, color: float | np.ndarray, mask: np.ndarray) -> None:
        """Paint `color` (a number, or an array like the canvas) where `mask` is 1."""
        self.canvas += mask.astype(np.float32, copy=False) * (color - self.canvas)

    def _uniform(self, low: float, high: float) -> float:
        """A random place or length. A Python float, which leaves float32 arrays float32."""
        return float(self.random.uniform(low, high))

    def _edge(self, distance: np.ndarray) -> np.ndarray:
        """1 where `distance` (a fraction of the height) is positive, with a soft edge of pixels."""
        return np.clip(distance / self.pixel + 0.5, 0, 1)

    def _sky(self) -> None:
        top, low = _color(self.daytime.zenith), _color(self.daytime.horizon)
        share = np.clip(self.y / self.horizon, 0, 1) ** self._uniform(0.8, 1.8)
        self.canvas += top + share * (low - top)

    def _stars(self) -> None:
        sky = np.zeros_like(self.canvas[0])
        for x, y, bright in self.random.random((40, 3)).tolist():
            across = np.exp(-(((self.x - x) * self.aspect / 0.006) ** 2))
            sky += np.exp(-(((self.y - y * self.horizon) / 0.006) ** 2)) * (across * bright)
        self._blend(1.0, np.minimum(sky, 1))

    def _light(self) -> None:
        """Sun or moon with its glow; on some days it stays behind the clouds."""
        radius = self._uniform(0.035, 0.085)
        glow = self._uniform(0.1, 0.35)
        if not self.has_light:
            return
        distance = np.hypot((self.x - self.light_x) * self.aspect, self.y - self.light_y)
        self._blend(_color(self.daytime.light), 0.6 * np.exp(-distance / glow))
        self._blend(_color(self.daytime.light), self._edge(radius - distance))

    def _clouds(self) -> None:
        """Flat puffs: each a handful of soft ellipses, lit like the horizon."""
        color = 0.5 * (_color(self.daytime.horizon) + self.white)
        for _ in range(self.random.integers(0, 5)):
            x, y, size = self.random.random(3).tolist()
            y, size = y * self.horizon * 0.85, 0.04 + 0.06 * size
            puffs = self.random.normal(0, 1, (6, 2)).tolist()
            cover = np.zeros_like(self.canvas[0])
            for right, up in puffs:
                dx = (self.x - x) * self.aspect - right * size * 1.6
                dy = self.y - y + abs(up) * size * 0.25
                across = np.exp(-((dx / (size * 1.7)) ** 2))
                cover += np.exp(-((dy / (size * 0.45)) ** 2)) * across
            self._blend(color, 0.85 * np.clip(cover, 0, 1))

    def _island(self) -> None:
        """A hilly outline on the horizon, tinted by the air in front of it."""
        outline = np.zeros_like(self.x)
        middle, spread = self._uniform(0, 1), self._uniform(0.06, 0.2)
        for _ in range(4):
            place = middle + float(self.random.normal(0, spread))
            hill = np.exp(-(((self.x - place) / self._uniform(0.04, 0.12)) ** 2))
            outline = np.maximum(outline, self._uniform(0.03, 0.13) * hill)
        haze = self._uniform(0.35, 0.7)
        dark = 0.35 * _color(self.daytime.near_sea)
        color = dark + haze * (_color(self.daytime.horizon) - dark)
        self._blend(color, self._edge(self.y - (self.horizon - outline + 0.004)))

    def _sea(self) -> None:
        """Water from the horizon down: waves grow and lengthen towards us, light lies on them."""
        depth = np.clip((self.y - self.horizon) / (1 - self.horizon), 0, 1)  # 0 far, 1 near
        far, near = _color(self.daytime.far_sea), _color(self.daytime.near_sea)
        water = far + depth**0.8 * (near - far)
        waves = np.zeros_like(self.canvas[0])
        for _ in range(3):
            rows, columns, phase = self.random.uniform((14, 2, 0), (34, 9, 6.28)).tolist()
            sway = np.sin(columns * self.aspect * self.x / (0.25 + depth) + phase)
            waves += np.sin(rows * np.log(depth + 0.12) * 2 + phase + 1.3 * sway)
        strength = self._uniform(0.02, 0.06)
        water = water + strength * waves * (0.3 + depth)
        mask = self._edge(self.y - self.horizon)
        self._blend(water, mask)
        if self.has_light:
            spread = 0.03 + 0.16 * depth
            path = np.exp(-((((self.x - self.light_x) * self.aspect) / spread) ** 2))
            path = path * np.clip(0.45 + 0.4 * waves, 0, 1) * (1 - 0.5 * depth)
            self._blend(_color(self.daytime.light), 0.85 * path * mask)
        crests = np.clip(waves - 2.1, 0, 1) * depth * self._uniform(0, 0.9)
        self._blend(self.white, crests * mask)

    def _sail(self) -> None:
        """A small boat: two triangles and a hull, leaning a little, on the far water."""
        x, y = self._uniform(0.1, 0.9), self.horizon + self._uniform(0.01, 0.09)
        tall, lean = self._uniform(0.1, 0.24), self._uniform(-0.15, 0.15)
        height, width = self.canvas.shape[1:]

        def place(across: float, up: float) -> tuple[float, float]:
            return ((x * width + (across + lean * up) * tall * height), (y - up * tall) * height)

        shapes = (
            ([(0.04, 0.12), (0.04, 1.0), (0.48, 0.14)], 1.0),
            ([(-0.02, 0.14), (-0.02, 0.86), (-0.34, 0.16)], 0.88),
            ([(-0.4, 0.1), (0.5, 0.1), (0.34, -0.04), (-0.28, -0.04)], 0.2),
        )
        warm_white = _color("fffaf0")
        for corners, shade in shapes:
            mask = Image.new("L", (width, height))
            ImageDraw.Draw(mask).polygon([place(*corner) for corner in corners], fill=255)
            self._blend(self.white * shade * warm_white, np.asarray(mask, np.float32) / 255)

    def _beach(self) -> None:
        """Breakers rolling in, the last foam, wet sand and dry sand."""
        slope, curve, phase = self.random.uniform((-0.08, 0.005, 0), (0.08, 0.03, 6.28)).tolist()
        bend = slope * (self.x - 0.5) + curve * np.sin(7 * self.x * self.aspect + phase)
        edge = self.shore + bend + 0.4 * curve * np.sin(17 * self.x * self.aspect + 2 * phase)
        sand = _color(self.daytime.sand)
        grain = self.random.normal(0, 0.012, (8, 8))  # few and large: the same at every size
        texture = Image.fromarray(grain.astype(np.float32)).resize(self.canvas.shape[:0:-1], 3)
        below = self.y - edge
        wet = np.exp(-np.clip(below, 0, 1) / 0.05)
        ground = sand * (1 - 0.4 * wet) + np.asarray(texture)
        self._blend(ground, self._edge(below))
        for distance, thickness in ((0.0, 0.012), (0.07, 0.008), (0.16, 0.006)):
            drift, ripple = self._uniform(0, 6.28), self._uniform(0.004, 0.012)
            line = edge - distance + ripple * np.sin(11 * self.x * self.aspect + drift)
            gaps = 1 if distance == 0 else np.clip(0.7 + np.sin(5 * self.x + drift), 0, 1)
            foam = np.exp(-(((self.y - line) / thickness) ** 2)) * gaps
            foam = np.maximum(foam, 0.35 * np.exp(-np.abs(self.y - line + 0.012) / 0.02) * gaps)
            self._blend(self.white, 0.9 * foam)


def _color(hexadecimal: str) -> np.ndarray:
    """A color in [0, 1], shaped (3, 1, 1) to broadcast over a canvas."""
    return np.array(list(bytes.fromhex(hexadecimal)), np.float32)[:, None, None] / 255
