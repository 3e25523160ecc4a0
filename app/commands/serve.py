"""``deskhand serve``: the OpenAI-compatible server."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from model.serving.arguments import add_arguments as add

    add(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until stopped."""
    from model.serve import run as serve

    return serve(args)
