"""Metrics: features, distances, copies and variety, from arrays to estimates."""
