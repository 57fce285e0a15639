"""Write the numbers of the parity test anew: `python tests/store_parity.py`, on TensorFlow."""

import json

from conftest import TINY
from test_gan import PARITY, ROADS, digest, three_fixed_steps

from dcgan import DCGAN
from dcgan.training.state import to_arrays

if __name__ == "__main__":
    found = {
        road: digest(to_arrays(three_fixed_steps(lambda **c: DCGAN(**{**TINY, **c}), **changes)))
        for road, changes in ROADS.items()
    }
    PARITY.write_text(json.dumps(found, indent=1) + "\n")
