"""From a folder, a file or an array of images to batches, and the drawn sample set."""
