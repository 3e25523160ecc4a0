"""Pixels of the screen: an ordered list of handlers, of which the first that works here is used."""
