"""The engine as a child process: its start, its watch, its end. `model.child` is the face."""
