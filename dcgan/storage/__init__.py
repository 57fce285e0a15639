"""Run folders, checkpoints, model files, locks and logs on disk."""
