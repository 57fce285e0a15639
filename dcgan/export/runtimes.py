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
from pathlib import Path

import numpy as np

KERAS_FORMATS = {"onnx": "onnx", "litert": "litert", "savedmodel": "tf_saved_model"}
BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "chrome", "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)  # fmt: skip
# At the end of a page: leaves the levels of each latent's image, in base64, as all there is.
IN_PAGE = """<script>
const toLevels = buildGenerator(model.layers, reader(text));
const answer = document.createElement("pre");
answer.textContent = model.image + ":" + %s.map((latent) => {
  const levels = toLevels(Float32Array.from(latent));
  return btoa(Array.from(levels, (level) => String.fromCharCode(level)).join(""));
});
document.body.replaceChildren(answer);
</script></body>"""


def convert(name: str, source: str, out: str) -> None:
    """Write the Keras model in the file `source` in another format."""
    import keras

    model = keras.saving.load_model(source, compile=False)
    model(np.zeros((1, model.input_shape[1]), np.float32))  # Keras exports what was called
    model.export(out, format=KERAS_FORMATS[name], verbose=False)


def run_onnx(path: str, latents: np.ndarray) -> np.ndarray:
    """ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: latents})[0]


def run_litert(path: str, latents: np.ndarray) -> np.ndarray:
    """LiteRT, formerly TensorFlow Lite."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(path)
    place = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(place, latents.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(place, latents)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def run_savedmodel(path: str, latents: np.ndarray) -> np.ndarray:
    """TensorFlow without Keras."""
    import tensorflow as tf

    loaded = tf.saved_model.load(path)  # its variables live as long as it does
    return loaded.serve(latents).numpy()


def run_keras(path: str, latents: np.ndarray) -> np.ndarray:
    """Keras alone."""
    import keras

    model = keras.saving.load_model(path, compile=False)
    return keras.ops.convert_to_numpy(model(latents))


def run_web(path: str, latents: np.ndarray) -> np.ndarray:
    """A browser without a window."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise ModuleNotFoundError("there is no browser", name="browser")
    page = Path(path).read_bytes().decode("utf-16")
    page = page.replace("</body>", IN_PAGE % json.dumps(latents.tolist()))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Path(folder) / "page.html"
        place.write_bytes(page.encode("utf-16"))
        options = ["--headless", "--disable-gpu", "--no-first-run", f"--user-data-dir={folder}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:  # its sandbox refuses to run as root
            options.append("--no-sandbox")
        command = [browser, *options, "--dump-dom", place.as_uri()]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    answer = re.search(r"<pre>([\d,]+):(.*?)</pre>", shown, re.S)
    if answer is None:
        raise RuntimeError(f"{browser} did not show the page to its end")
    levels = b"".join(map(base64.b64decode, answer[2].split(",")))
    return np.frombuffer(levels, np.uint8).reshape(-1, *map(int, answer[1].split(",")))


def main(words: list[str]) -> None:
    """Do what the words say; see the top of the file."""
    verb, name, *paths = words
    try:
        if verb == "convert":
            convert(name, *paths)
        else:
            run = globals().get(f"run_{name}", run_keras)
            images = run(paths[0], np.load(paths[1]))
            np.save(paths[2], images)
    except ImportError as error:
        sys.stdout.write(f"missing {error.name or error}\n")
        return
    sys.stdout.write("OK\n")


if __name__ == "__main__":
    main(sys.argv[1:])
