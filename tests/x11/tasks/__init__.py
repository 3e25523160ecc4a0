"""Tasks as a person would write them, done in real programs by the built-in checkpoint; judged from outside."""
