"""The window: the only package that imports Qt, and the only one that thinks in logical pixels."""
