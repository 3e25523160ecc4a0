"""Kimi-VL on the user's own machine: from a checkpoint folder to streamed text."""
