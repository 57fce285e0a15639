"""Resume a run by the same call: python -m examples.resume_a_run path/to/images

Weights, both optimizers, the EMA, the random streams and the position in the epoch are restored
from the run folder, so a run in parts equals the run in one piece.
"""

import sys

from dcgan import DCGAN


def main(folder, run="Results/resumed", epochs=(10, 20), **options):
    gan = DCGAN(save_path=run, **options)
    gan.fit(folder, epochs=epochs[0])
    print(f"stopped after {gan.state.step} steps")

    # Another day, another process, and this time with a lower learning rate. Options that shape the
    # networks must stay the same; epochs count from the start of the run.
    gan = DCGAN(save_path=run, optimizer=5e-5, **options)
    gan.fit(folder, epochs=epochs[1])
    print(f"stopped after {gan.state.step} steps")


if __name__ == "__main__":
    main(sys.argv[1])
