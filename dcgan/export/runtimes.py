"""A program that knows nothing of this package: it converts a Keras file, and runs what came out.

    runtimes.py convert FORMAT model.keras OUT       needs TensorFlow
    runtimes.py run FORMAT FILE latents.npy OUT.npy

The last line on stdout says OK, or which package is missing.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "chrome", "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)  # fmt: skip
# At the end of a page: an answer is all that is left of it.
AT_END = """<script>
const toLevels = buildGenerator(model.layers, reader(text));
const answer = document.createElement("pre");
answer.id = "answer";
answer.textContent = %s;
document.body.replaceChildren(answer);
</script></body>"""
IN_PAGE = """model.image + ":" + %s.map((latent) => {
  const levels = toLevels(Float32Array.from(latent));
  return btoa(Array.from(levels, (level) => String.fromCharCode(level)).join(""));
})"""
Run = Callable[[np.ndarray], np.ndarray]  # from latents to images


def convert(name: str, source: str, out: str) -> None:
    """Write the Keras model in the file `source` in another format."""
    import keras

    model = keras.saving.load_model(source, compile=False)
    model(np.zeros((1, model.input_shape[1]), np.float32))  # Keras exports what was called
    name = "tf_saved_model" if name == "savedmodel" else name
    model.export(out, format=name, verbose=False)


def load_onnx(path: str) -> Run:
    """ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda latents: session.run(None, {name: latents})[0]


def load_litert(path: str) -> Run:
    """LiteRT, formerly TensorFlow Lite."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(path)
    place = interpreter.get_input_details()[0]["index"]
    result = interpreter.get_output_details()[0]["index"]

    def run(latents: np.ndarray) -> np.ndarray:
        interpreter.resize_tensor_input(place, latents.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(place, latents)
        interpreter.invoke()
        return interpreter.get_tensor(result)

    return run


def load_savedmodel(path: str) -> Run:
    """TensorFlow without Keras."""
    import tensorflow as tf

    loaded = tf.saved_model.load(path)  # its variables live as long as it does
    return lambda latents: loaded.serve(latents).numpy()


def load_keras(path: str) -> Run:
    """Keras alone."""
    import keras

    model = keras.saving.load_model(path, compile=False)
    return lambda latents: keras.ops.convert_to_numpy(model(latents))


def load_web(path: str) -> Run:
    """A browser without a window."""

    def run(latents: np.ndarray) -> np.ndarray:
        answer = in_browser(path, IN_PAGE % json.dumps(latents.tolist()))
        shape, _, images = answer.partition(":")
        levels = b"".join(map(base64.b64decode, images.split(",")))
        return np.frombuffer(levels, np.uint8).reshape(-1, *map(int, shape.split(",")))

    return run


def in_browser(path: str, expression: str) -> str:
    """The text that JavaScript gives at the end of a page, after `toLevels`, in a browser."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise ModuleNotFoundError("there is no browser", name="browser")
    page = Path(path).read_bytes().decode("utf-16")
    page = page.replace("</body>", AT_END % expression)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Path(folder) / "page.html"
        place.write_bytes(page.encode("utf-16"))
        options = ["--headless", "--disable-gpu", "--no-first-run", f"--user-data-dir={folder}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:  # its sandbox refuses to run as root
            options.append("--no-sandbox")
        command = [browser, *options, "--dump-dom", place.as_uri()]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    answer = re.search(r'<pre id="answer">(.*?)</pre>', shown, re.S)
    if answer is None:
        raise RuntimeError(f"{browser} did not show the page to its end")
    return answer[1]


def main(words: list[str]) -> None:
    """Do what the words say; see the top of the file."""
    verb, name, *paths = words
    try:
        if verb == "convert":
            convert(name, *paths)
        else:
            load = {"h5": load_keras}.get(name) or globals()[f"load_{name}"]
            np.save(paths[2], load(paths[0])(np.load(paths[1])))
    except ImportError as error:
        sys.stdout.write(f"missing {error.name or error}\n")
        return
    sys.stdout.write("OK\n")


if __name__ == "__main__":
    main(sys.argv[1:])
