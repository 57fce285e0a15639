"""How does a folder become batches? Scan, decode, cache, order; and the drawn sample set."""
