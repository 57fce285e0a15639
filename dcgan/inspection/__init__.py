"""Facts about a folder of images before any training."""
