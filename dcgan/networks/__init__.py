"""Plans of both networks, and Keras models built from them."""
