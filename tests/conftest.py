"""What every test shares."""

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def _few_threads() -> None:
    """Keep torch to one thread: toy networks gain nothing from more, and waiting threads cost twenty times."""
    # Also for the processes that tests start.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import torch

    torch.set_num_threads(1)
