"""The real server process around the paced model: starts in a moment, and misbehaves when told to.

``PACED_SERVER`` in the environment: ``die-loading``, ``fail-loading``, ``hang-loading``, ``lose-device``
(after the first answer), or a number, the seconds between two words.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable

from model.chat import ChatModel
from model.errors import CheckpointError, ModelError
from model.serve import ModelCard, announce, serve
from model.serving.arguments import add_arguments, settings_of, token_of
from tests.model.serving import PacedModel


def load(progress: Callable[[str], None]) -> tuple[ChatModel, ModelCard]:
    manner = os.environ.get("PACED_SERVER", "0.02")
    progress("loading 50%")
    if manner == "die-loading":
        sys.stderr.write("the last words\n")
        sys.stderr.flush()
        os._exit(7)
    if manner == "fail-loading":
        raise CheckpointError("the checkpoint is broken", why="a shard is truncated")
    if manner == "hang-loading":
        time.sleep(3600)
    if manner == "lose-device":
        return PacedModel(error=RuntimeError("CUDA error: an illegal memory access was encountered")), ModelCard(
            "paced"
        )
    return PacedModel(float(manner)), ModelCard("paced")


def main() -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args()
    try:
        return serve(load, settings_of(args, token_of(args)[0]), with_parent=args.with_parent)
    except ModelError as error:
        announce({"event": "failed", "message": str(error), "exit_code": error.exit_code})
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
