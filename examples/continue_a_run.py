"""How do I go on with a run? By the same call: python -m examples.continue_a_run path/to/images

Weights, both optimizers, the moving average, the random streams and the place in the epoch come
back from the run's folder, so a run in parts is the run in one piece.
"""

import sys

from dcgan import DCGAN


def main(folder, run="Results/continued", epochs=(10, 20), **options):
    gan = DCGAN(save_path=run, **options)
    gan.fit(folder, epochs=epochs[0])
    print(f"stopped after {gan.record['step']} steps")

    # Another day, another process, and this time with smaller steps. What shapes the networks must
    # be as it was; epochs count from the start of the run.
    gan = DCGAN(save_path=run, optimizer=5e-5, **options)
    gan.fit(folder, epochs=epochs[1])
    print(f"stopped after {gan.record['step']} steps")


if __name__ == "__main__":
    main(sys.argv[1])
