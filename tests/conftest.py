"""What the tests share: the real encoder, and one index of the bundled documents, built once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.settings import BUNDLED, hush
from index.contract import Encoder
from index.index import Index, build

if TYPE_CHECKING:
    from bot.bot import Bot

hush()

ENCODER = "all-MiniLM-L6-v2"


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The bundled model, loaded once."""
    from index.encode import load_encoder

    return load_encoder(ENCODER)


@pytest.fixture(scope="session")
def index_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the bundled documents, built once; read it, do not change it."""
    folder = tmp_path_factory.mktemp("bundled") / "index"
    build(BUNDLED, folder, ENCODER, limit=200)
    return folder


@pytest.fixture(scope="session")
def index(index_dir: Path) -> Iterator[Index]:
    """That index, open."""
    opened = Index.open(index_dir, ENCODER)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def bot(index_dir: Path) -> Bot:
    """A bot on that index, with the shipped rules and words and no other settings."""
    from bot.bot import Bot  # here, so that the tests of what lies below run without it
    from bot.settings import load

    return Bot.open(index_dir, load(index=index_dir))
