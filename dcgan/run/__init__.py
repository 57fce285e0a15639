"""What is a run on disk? Its folder, lock, log, checkpoints, and the signals that end it."""
