"""How the encoder is run for answers: without torch, once a question, and by its own library where it must be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sentence_transformers import SentenceTransformer

from bot.bot import Bot
from index.encode import NetworkEncoder, load_encoder, prepare
from index.export import SentenceEncoder
from index.index import Index, build
from index.network import Network, Text
from tests.index_samples import BREAD, write

# Asks the bot and every face in a process where importing torch or what brings it is an error.
WITHOUT_TORCH = """
import sys
heavy = ("torch", "transformers", "sentence_transformers", "onnx")
sys.modules.update(dict.fromkeys(heavy))
from pathlib import Path
from starlette.testclient import TestClient
from bot.bot import Bot
from bot.faces.cli import compose
from bot.settings import load
settings = load(index=Path(sys.argv[1]))
bot = Bot.open(settings.index, settings)
assert bot.reply("What is the let-down reflex?").kind == "answer"
with TestClient(compose(bot, settings)) as client:
    assert client.post("/v1/ask", json={"question": "What is the let-down reflex?"}).json()["kind"] == "answer"
    assert client.get("/chat/").status_code == 200
assert not any(sys.modules.get(name) for name in heavy)
"""


def test_serving_never_imports_torch(index_dir: Path) -> None:
    """A bot, the API and the page answer where torch and what brings it cannot be imported at all."""
    subprocess.run([sys.executable, "-c", WITHOUT_TORCH, str(index_dir)], check=True, timeout=120)


def test_a_question_is_encoded_once(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Search, weighing and composing share one pass of the question; once its passages are known, there is no other."""
    question = "How long does breast milk keep in the fridge?"
    bot.reply(question)
    run, seen = Network.run, list[str]()

    def counted(self: Network, texts: list[Text], outputs: list[str] | None = None) -> object:
        seen.extend(text for text in texts if isinstance(text, str))  # pairs are the scorer's
        return run(self, texts, outputs)

    monkeypatch.setattr(Network, "run", counted)
    bot.reply(again := question.replace("the fridge", "a fridge"))
    assert seen.count(again) == 1  # beside it only the documents' own questions, tried as suggestions


def test_the_manifest_says_how_near_it_is(index: Index) -> None:
    """By onnxruntime, with a cosine of at least 0.9999 to the model's own vectors."""
    serving = index.manifest.serving
    assert isinstance(index.encoder, NetworkEncoder)
    assert serving["by"] == "onnxruntime" and 0.9999 <= float(serving["cosine"]) <= 1.0001


def test_a_model_that_cannot_be_written_down_still_serves(tiny: Path, tmp_path: Path) -> None:
    """One that puts words of its own before a text differs from its network: it runs by its library, and is told of."""
    model = SentenceTransformer(str(tiny), device="cpu", prompts={"say": "Say this aloud: "}, default_prompt_name="say")
    folder, index = tmp_path / "prompted", tmp_path / "index"
    model.save_pretrained(str(folder), create_model_card=False)
    encoder, serving = prepare(str(folder), index)
    assert isinstance(encoder, SentenceEncoder) and "its vectors would differ" in str(serving["because"])
    assert not list(index.iterdir()) and load_encoder(str(folder), index, serving).name == encoder.name
    write(tmp_path / "documents", "bread", BREAD)
    built = build(tmp_path / "documents", index, str(folder), limit=100)
    assert built.slow == serving["because"]
    assert Index.open(index, str(folder)).search("hollow sound", 1)[0].bm25 > 0
