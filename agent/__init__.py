"""A goal and a screen in, verified actions out."""
