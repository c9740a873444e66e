"""The release that tests share."""

import os
from collections.abc import Iterator

import pytest

from tests.image.conftest import IMAGE_VARIABLE
from tests.image.release import Release, installed


@pytest.fixture(scope="session")
def image() -> str:
    """Name and tag of the image under test."""
    return os.environ[IMAGE_VARIABLE]


@pytest.fixture(scope="session")
def release(image: str) -> Iterator[Release]:
    """All processes, running."""
    with installed(image) as release:
        yield release
