"""Write the numbers of the parity test anew: `python tests/store_parity.py`, on TensorFlow."""

import json

from conftest import TINY
from test_gan import PARITY, digest, three_fixed_steps

from dcgan import DCGAN
from dcgan.state import to_arrays

if __name__ == "__main__":
    gan = three_fixed_steps(lambda **changes: DCGAN(**{**TINY, **changes}))
    PARITY.write_text(json.dumps(digest(to_arrays(gan)), indent=1) + "\n")
