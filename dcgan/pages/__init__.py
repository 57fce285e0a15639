"""Self-contained HTML pages on which a user looks at a model or a run."""
