"""What is in a `.dcgan` file, and what is refused?

A `.dcgan` file is a ZIP of stored members in one canonical form: `model.json` first (bounded plain
values, with the name, shape, type and SHA-256 of every array), then `preview.png` where there is
one, then the arrays as `.npy` members in the order of their names; `numpy.load` opens it. Nothing
in it is ever executed, and a byte that differs from what `write_model` would have written for the
same content is refused.
"""

from dcgan.storage.document import FORMAT, GENERATOR_GROUP, VERSION
from dcgan.storage.reading import Expected, ModelFile, read_model
from dcgan.storage.writing import generator_sha256, write_model

__all__ = [
    "FORMAT",
    "GENERATOR_GROUP",
    "VERSION",
    "Expected",
    "ModelFile",
    "generator_sha256",
    "read_model",
    "write_model",
]
