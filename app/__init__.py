"""The part a person sees: command line, window, settings, history."""
