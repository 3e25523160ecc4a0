"""Checkpoints as files: tensor names, containers, output folders, and the bytes' way from the Hub."""
