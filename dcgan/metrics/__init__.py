"""How good are the images? Features, distances, copies, variety and health: arrays to numbers."""
