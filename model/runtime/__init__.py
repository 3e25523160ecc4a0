"""The parts of the engine: a request's way from prompt to tokens, and whose turn it is."""
