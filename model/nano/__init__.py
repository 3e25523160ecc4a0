"""How the built-in checkpoint is made: rendered screens, training, evaluation, export."""
