"""Training: sources of images, state, callbacks and the fit procedure."""
