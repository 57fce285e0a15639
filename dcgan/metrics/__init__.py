"""How good are the pictures? Features, distances, copies, variety and health: arrays to numbers."""
