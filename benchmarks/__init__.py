"""Benchmarks: how fast training is, how well it survives, and how the gallery was made."""
