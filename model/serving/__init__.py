"""The parts of the server that `model.serve` runs."""
