"""Decoding: the right pixels of every kind of image file, and a reason for every other."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from dcgan.data.decode import NO_MEMORY, Unusable, decode_file, peek
from dcgan.data.target import Target

pytestmark = pytest.mark.once

COLOR = Target(8, 8, 3)
GRAY = Target(8, 8, 1)


def saved(path, image, **options):
    image.save(path, **options)
    return str(path)


def pixels_of(path, target=COLOR):
    return decode_file(str(path), target)[0]


def reason_for(path, target=COLOR):
    with pytest.raises(Unusable) as refusal:
        decode_file(str(path), target)
    return str(refusal.value)


def photo(width=40, height=30, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


MODES = {"1": 1, "L": 200, "LA": (200, 255), "P": 3, "RGB": (200,) * 3, "RGBA": (200,) * 3 + (255,)}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_each_mode_is_converted_to_the_channels_asked_for(tmp_path, mode, channels):
    image = Image.new(mode, (8, 8), MODES[mode])
    if mode == "P":
        image.putpalette([200] * 768)
    pixels = pixels_of(saved(tmp_path / "a.png", image), Target(8, 8, channels))
    assert pixels.shape == (8, 8, channels)
    assert (pixels[..., :3] == (255 if mode == "1" else 200)).all()
    assert channels < 4 or (pixels[..., 3] == 255).all()


def test_cmyk_becomes_its_color(tmp_path):
    path = saved(tmp_path / "a.tif", Image.new("CMYK", (8, 8), (255, 0, 0, 0)))
    assert (pixels_of(path)[0, 0] == (0, 255, 255)).all()


def test_lab_becomes_its_color(tmp_path):
    path = saved(tmp_path / "a.tif", Image.new("LAB", (8, 8), (255, 128, 128)))
    assert (pixels_of(path) > 250).all()


def test_16_bit_gray_is_scaled_and_not_clipped(tmp_path):
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    pixels = pixels_of(saved(tmp_path / "a.png", Image.fromarray(ramp)), GRAY)[..., 0]
    np.testing.assert_allclose(pixels, ramp / 257, atol=1)  # half a step of rounding


def test_12_bit_gray_is_scaled_by_12_bits(tmp_path):
    strip = b"\xff\xff\xff" * 32  # 8 x 8 values of 12 bits, all white
    short, long = 3, 4  # types of a TIFF entry
    entries = [(256, short, 8), (257, short, 8), (258, short, 12), (259, short, 1), (262, short, 1)]
    entries += [(273, long, 8), (277, short, 1), (278, short, 8), (279, long, len(strip))]
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    header = struct.pack("<2sHI", b"II", 42, 8 + len(strip)) + strip
    directory = struct.pack("<H", len(entries)) + table + bytes(4)
    (tmp_path / "a.tif").write_bytes(header + directory)
    assert (pixels_of(tmp_path / "a.tif", GRAY) == 255).all()


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_float_images_are_scaled_from_their_usual_ranges(tmp_path, white):
    ramp = np.linspace(0, white, 64, dtype=np.float32).reshape(8, 8)
    pixels = pixels_of(saved(tmp_path / "a.tif", Image.fromarray(ramp)), GRAY)[..., 0]
    np.testing.assert_allclose(pixels, ramp / white * 255, atol=1)


def test_float_images_with_other_values_are_stretched(tmp_path):
    ramp = np.linspace(-3, 7, 64, dtype=np.float32).reshape(8, 8)
    pixels = pixels_of(saved(tmp_path / "a.tif", Image.fromarray(ramp)), GRAY)
    assert pixels.min() == 0 and pixels.max() == 255


def test_a_float_image_with_nan_is_refused(tmp_path):
    path = saved(tmp_path / "a.tif", Image.fromarray(np.full((8, 8), np.nan, np.float32)))
    assert "not numbers" in reason_for(path)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_shows_the_background_and_not_what_is_hidden(tmp_path, mode):
    hidden = Image.new("RGBA", (8, 8), (90, 90, 90, 0)).convert(mode)
    options = {"transparency": 0} if mode == "P" else {}
    if mode == "P":
        hidden = Image.new("P", (8, 8), 0)
    path = saved(tmp_path / "a.png", hidden, **options)
    assert (pixels_of(path, Target(8, 8, 3, background=(10, 20, 30))) == (10, 20, 30)).all()
    assert (pixels_of(path, Target(8, 8, 4)) == 0).all()


def test_a_16_bit_gray_value_can_mean_transparent(tmp_path):
    values = np.zeros((8, 8), np.uint16)
    values[:4] = 65535
    path = saved(tmp_path / "a.png", Image.fromarray(values), transparency=65535)
    pixels = pixels_of(path, Target(8, 8, 4))
    assert (pixels[:4] == 0).all() and (pixels[4:] == (0, 0, 0, 255)).all()


def test_kept_alpha_is_premultiplied_and_no_color_exceeds_it(tmp_path):
    sprite = np.zeros((64, 64, 4), np.uint8)
    sprite[...] = (255, 0, 255, 0)  # a bright color hidden under full transparency
    sprite[16:48, 16:48] = (255, 255, 255, 255)
    pixels = pixels_of(saved(tmp_path / "a.png", Image.fromarray(sprite)), Target(9, 9, 4))
    assert (pixels[..., :3] <= pixels[..., 3:]).all()
    assert (pixels[..., 0] == pixels[..., 1]).all()  # none of the hidden magenta comes through


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_undone(tmp_path, orientation):
    upright = photo(40, 24)
    inverse = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # how a camera would have stored it
    stored = upright.transpose(inverse[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "a.png", stored, exif=exif)
    pixels, original = decode_file(path, Target(24, 40, 3))
    np.testing.assert_array_equal(pixels, np.asarray(upright))
    assert (original.width, original.height) == (40, 24)
    assert peek(path)[:2] == (40, 24)  # what `inspect` proposes a size by


def test_an_animation_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (8, 8), color) for color in ((200, 0, 0), (0, 200, 0))]
    for ending in ("gif", "png", "webp"):
        path = saved(tmp_path / f"a.{ending}", frames[0], save_all=True, append_images=frames[1:])
        assert np.abs(pixels_of(path).astype(int) - (200, 0, 0)).max() < 8  # webp is lossy


@pytest.mark.parametrize(
    "name", ["UPPER.JPG", "wrong.png", "none", "naïve 日本 {x}\n.jpg", "x" * 250]
)
def test_the_bytes_decide_and_not_the_name(tmp_path, name):
    assert pixels_of(saved(tmp_path / name, photo(), format="JPEG")).shape == (8, 8, 3)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "JPEG2000"])
def test_common_formats_are_read(tmp_path, form):
    assert pixels_of(saved(tmp_path / "a", photo(), format=form)).shape == (8, 8, 3)


def test_a_file_that_is_no_image_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_text("<html>404</html>")
    assert "not an image" in reason_for(tmp_path / "a.jpg")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "a.jpg").touch()
    assert reason_for(tmp_path / "a.jpg") == "empty file"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"])
def test_a_truncated_file_is_refused(tmp_path, form):
    saved(tmp_path / "a", photo(200, 200), format=form)
    content = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(content[: len(content) // 2])
    assert reason_for(tmp_path / "a")


def test_a_bad_checksum_is_refused(tmp_path):
    path = tmp_path / "a.png"
    saved(path, photo())
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT") + 12] ^= 0xFF
    path.write_bytes(content)
    assert reason_for(path)


def chunk(kind, content):
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png_claiming(width, height):
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data)


@pytest.mark.parametrize("side", [9_000, 25_000, 2**31 - 1])
def test_a_bomb_is_refused_before_it_is_decoded(tmp_path, side):
    (tmp_path / "a.png").write_bytes(png_claiming(side, side))
    assert "pixels" in reason_for(tmp_path / "a.png")


def test_a_huge_text_chunk_is_refused(tmp_path):
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    text = b"comment\0\0" + zlib.compress(bytes(100_000_000))
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"zTXt", text)
    (tmp_path / "a.png").write_bytes(content)
    assert reason_for(tmp_path / "a.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_never_hangs(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    assert reason_for(tmp_path / "a.png") == "not a regular file"


def test_a_file_that_has_vanished_is_named_so(tmp_path):
    assert "vanished" in reason_for(tmp_path / "gone.png")


def test_an_unreadable_file_is_named_so(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    assert "permission" in reason_for(tmp_path / "a.png")


def test_a_image_made_by_a_training_run_is_not_taken(tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "dcgan run")
    assert "training run" in reason_for(saved(tmp_path / "a.png", photo(), pnginfo=text))


def test_no_warning_of_the_decoder_gets_out(tmp_path):
    buffer = io.BytesIO()
    photo().save(buffer, "TIFF")
    (tmp_path / "a.tif").write_bytes(buffer.getvalue() + b"\0" * 3)
    pixels_of(saved(tmp_path / "p.png", Image.new("P", (8, 8)), transparency=bytes(3)))
    pixels_of(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0", "PostScript is left out"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG is left out"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC is left out"),
        (b"8BPS\0\1", "Photoshop files are left out"),
        (b"some text", "not an image in a format that is known here"),
    ],
)
def test_a_format_that_is_left_out_is_named_as_such(tmp_path, content, named):
    (tmp_path / "file.png").write_bytes(content)
    with pytest.raises(Unusable, match=named):
        decode_file(str(tmp_path / "file.png"), Target(8, 8, 3))


@pytest.mark.parametrize("progressive", [False, True])
def test_a_progressive_jpeg_needs_memory_for_all_of_its_detail(tmp_path, progressive):
    """Its decoder holds the whole, where that of another holds what is enough for 8 x 8 pixels."""
    image = Image.new("RGB", (2400, 2400), (9, 99, 200))
    path = saved(tmp_path / "large.jpg", image, progressive=progressive)
    if progressive:
        with pytest.raises(Unusable, match=NO_MEMORY):
            decode_file(path, COLOR, memory=26_000_000)
    else:
        assert decode_file(path, COLOR, memory=26_000_000)[1][:2] == (2400, 2400)
