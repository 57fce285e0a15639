"""A program that knows nothing of this package: it converts a Keras file, and runs what came out.

    runtimes.py convert FORMAT model.keras OUT       needs TensorFlow
    runtimes.py run FORMAT FILE latents.npy OUT.npy

The last line on stdout says OK, or which package is missing.
"""

import sys

import numpy as np

KERAS_FORMATS = {"onnx": "onnx", "litert": "litert", "savedmodel": "tf_saved_model"}


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


def main(words: list[str]) -> None:
    """Do what the words say; see the top of the file."""
    verb, name, *paths = words
    try:
        if verb == "convert":
            convert(name, *paths)
        else:
            run = {"onnx": run_onnx, "litert": run_litert, "savedmodel": run_savedmodel}
            images = run.get(name, run_keras)(paths[0], np.load(paths[1]))
            np.save(paths[2], images)
    except ImportError as error:
        sys.stdout.write(f"missing {error.name or error}\n")
        return
    sys.stdout.write("OK\n")


if __name__ == "__main__":
    main(sys.argv[1:])
