"""Usage as the store keeps it: sums of roll-ups, and the versions of labels and points that they name."""
