"""Every setting, in one frozen table: defaults < milkwise.toml < MILKWISE_* < what the caller passes.

Comes in: a folder's `milkwise.toml`, the environment, flags. Goes out: one `Settings`. The only module that reads the
environment. Does not know what the settings are used for.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bot.values import Colour, Hosts, Origins, Proxies, Rate, StoreAddress, Token, api_address, is_loopback

BUNDLED = Path(__file__).parents[1] / "corpus" / "documents"
FILE = "milkwise.toml"


class SettingsError(Exception):
    """A setting that cannot be used: names the key, the value and the remedy."""


class JournalSettings(BaseModel):
    """What is kept of questions and thumbs: nothing, unless it is switched on; every page then says so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: bool = Field(False, description="keep questions and thumbs for the report; every page then says so")
    file: Path = Field(Path("milkwise-journal.sqlite"), description="the file they are kept in")
    days: int = Field(90, ge=1, le=730, description="days after which each is deleted")
    words: bool = Field(True, description="keep redacted words; off keeps only what kind of reply they had")


class ComposerSettings(BaseModel):
    """Who puts an answer in order: nobody, its quotes stand as they were found; or a model, which every page then says.

    A field is checked against those above it, so that a fault names the one to mend.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    kind: Literal["quotes", "model"] = Field(
        "quotes", description='"model" lets one put the quotes in order and introduce them; every page then says so'
    )
    model: str = Field(
        "", pattern=r"^[\w./:@+-]{0,100}$", description="name of the model, such as llama3.2 or gpt-4o-mini"
    )
    plain_http: bool = Field(False, description="allow a url without TLS on another machine")
    url: str = Field("", description="its OpenAI-compatible API, such as http://127.0.0.1:11434/v1")
    run_by: str = Field("", max_length=80, description="who runs it, as visitors are told; none: the host of the url")
    key_from: str = Field(
        "",
        pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$",
        repr=False,
        description="environment variable that holds its key, such as OPENAI_API_KEY",
    )
    seconds: float = Field(4, gt=0, le=60, description="longest it may take; then the answer is given without it")

    @field_validator("model")
    @classmethod
    def _named(cls, name: str, info: ValidationInfo) -> str:
        if info.data.get("kind") == "model" and not name:
            raise ValueError("a model needs its name")
        return name

    @field_validator("url")
    @classmethod
    def _reached(cls, url: str, info: ValidationInfo) -> str:
        if not url and info.data.get("kind") != "model":
            return url
        return api_address(url, bool(info.data.get("plain_http")))

    @property
    def key(self) -> SecretStr:
        """The key, read from the environment now; empty where none is named. Raises SettingsError where it is unset."""
        if not self.key_from:
            return SecretStr("")
        key = os.environ.get(self.key_from, "").strip()
        if not re.fullmatch(r"[\x21-\x7e]+", key):
            said = "is not set" if not key else "holds what is no key (a space, or a sign outside ASCII)"
            raise SettingsError(f"environment: {self.key_from}, which composer.key_from names, {said}. Set it.")
        return SecretStr(key)

    def told(self, title: str) -> str:
        """Who runs the model, in words for a visitor of the site of that title."""
        host = urlsplit(self.url).hostname or ""
        return re.sub(r"[{}]", "", self.run_by or (title if is_loopback(host) else host))  # {…} is filled in elsewhere


class Settings(BaseSettings):
    """What an operator can choose. Paths are relative to the working folder."""

    model_config = SettingsConfigDict(
        env_prefix="MILKWISE_", env_nested_delimiter="__", toml_file=FILE, frozen=True, extra="forbid"
    )

    documents: Path = Field(BUNDLED, description="file or folder of vetted documents; default: the bundled article")
    index: Path = Field(Path(".milkwise"), description="folder the index is kept in")
    store: StoreAddress = Field(
        "", repr=False, description="postgresql:// address of a database to keep it in instead, shared by servers"
    )
    encoder: str = Field("all-MiniLM-L6-v2", description="the bundled model, or a folder holding another one")
    passage_pieces: int = Field(200, ge=32, le=2000, description="longest passage, in the encoder's word pieces")
    top_k: int = Field(8, ge=1, le=50, description="passages weighed for each question")
    host: str = Field("127.0.0.1", description="address to serve on")
    port: int = Field(7860, ge=0, le=65535, description="port to serve on; 0 takes a free one")
    root_path: str = Field("", pattern=r"^(/[\w.~-]+)*$", description="prefix a reverse proxy strips, such as /faq")
    title: str = Field("Milkwise", min_length=1, description="name shown on the page")
    locale: str = Field("en", description="BCP 47 tag used where a request names none; no country, no default numbers")
    review_months: int = Field(36, ge=1, le=120, description="a review older than this is overdue")
    hosts: Hosts = Field(
        (), description="names /mcp answers under besides this machine's own, such as help.example.org"
    )
    log_level: Literal["warning", "info"] = Field("warning", description="info adds a line for each request")
    log_format: Literal["text", "json"] = Field("text", description="how a line of the log is written: text or json")
    answers_at_once: int = Field(0, ge=0, le=256, description="answers made at the same time; 0: one a core")
    answers_waiting: int = Field(64, ge=0, le=100_000, description="questions that may wait; one more is told to retry")
    answer_seconds: float = Field(10, gt=0, le=600, description="longest a question waits before it is told to retry")
    answers_kept: int = Field(
        1_000, ge=0, le=1_000_000, description="latest answers kept in memory, for the same asked"
    )
    traces: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="OpenTelemetry collector to send traces to, such as http://127.0.0.1:4318; needs the extra otel",
    )
    report_to: str = Field("", description="where visitors report a problem: a web or e-mail address, shown on /safety")
    origins: Origins = Field((), description="sites that may embed the widget, such as https://www.example.org")
    programs: bool = Field(True, description="answer programs, which name no site, without a session token")
    secret: str = Field("", repr=False, description="signs session tokens; none: a new one at each start")
    session_minutes: int = Field(30, ge=1, le=1440, description="how long a session token is good for")
    session_limit: Rate = Field("20/minute, 200/hour", description="questions one session may ask")
    address_limit: Rate = Field(
        "120/minute, 2000/hour", description="questions one address may ask; this machine any number"
    )
    proxies: Proxies = Field(("127.0.0.1",), description="reverse proxies whose X-Forwarded-For is believed")
    accent: Colour = Field("#0F6B5C", description="colour of buttons and links on a light ground")
    accent_dark: Colour = Field("#6CC7B5", description="the same on a dark ground")

    expired: Literal["mark", "withhold"] = Field(
        "mark", description='a document past its review_by date is marked as overdue, or withheld: "withhold"'
    )
    cases: Path | None = Field(None, description="file of golden cases: asked after each change of the documents")
    editor_token: Token = Field(
        SecretStr(""), description="password of the editor's page at /editor, 16 characters or more; none closes it"
    )
    journal: JournalSettings = Field(
        JournalSettings.model_validate({}), description="a table of its own, see `journal.…`"
    )
    composer: ComposerSettings = Field(
        ComposerSettings.model_validate({}), description="a table of its own, see `composer.…`"
    )

    @property
    def home(self) -> Path | str:
        """Where the index is: its folder, or the address of its database."""
        return self.store or self.index

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags beat the environment, which beats the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load(**flags: Any) -> Settings:
    """Read the settings; `flags` that are None count as not given. Raises SettingsError naming key, value, remedy."""
    known = {name for name, *_ in table()}
    unknown = [name for name in os.environ if name.startswith("MILKWISE_") and _key(name) not in known]
    if unknown:
        raise SettingsError(f"environment: {unknown[0]} is no setting.{_nearest(_key(unknown[0]))}")
    try:
        return Settings(**{key: value for key, value in flags.items() if value is not None})
    except tomllib.TOMLDecodeError as fault:
        raise SettingsError(f"{FILE}: not valid TOML ({fault}). Mend that line.") from None
    except UnicodeDecodeError as fault:
        line = fault.object.count(b"\n", 0, fault.start) + 1
        problem = f"the byte 0x{fault.object[fault.start]:02x} is not UTF-8 text."
        raise SettingsError(f"{FILE}, line {line}: {problem} Save the file as UTF-8.") from None
    except ValidationError as fault:
        first = fault.errors()[0]
        key = ".".join(map(str, first["loc"])) or FILE
        if first["type"] == "extra_forbidden":
            raise SettingsError(f"{FILE}: {key} is no setting.{_nearest(key)}") from None
        secret = key in ("store", "composer.url", "composer.key_from") or "token" in key  # each could hold a password
        value = "…" if secret else repr(first["input"])
        raise SettingsError(f"setting {key} = {value}: {first['msg']}. Give it another value.") from None


def table() -> Iterator[tuple[str, Any, str]]:
    """Every setting as (name, default, description); those of a table of its own as "journal.days"."""
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            inner = type(field.default).model_fields.items()
            yield from ((f"{name}.{each}", of.default, of.description or "") for each, of in inner)
        else:
            yield name, field.default, field.description or ""


def hush() -> None:
    """Keep the libraries offline and silent: no hub, no telemetry, one OpenMP thread. Call before they are imported."""
    for name, value in {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "TOKENIZERS_PARALLELISM": "false",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "DO_NOT_TRACK": "1",
        "OMP_NUM_THREADS": "1",
    }.items():
        os.environ[name] = value
    if sys.platform == "darwin":  # torch and faiss each bring an OpenMP runtime, and the second would abort the process
        os.environ["KMP_DUPLICATE_LIB_OK"] = "TRUE"


def _key(variable: str) -> str:
    return variable.removeprefix("MILKWISE_").lower().replace("__", ".")


def _nearest(key: str) -> str:
    near = difflib.get_close_matches(key, [name for name, *_ in table()], n=1, cutoff=0)
    return f" Did you mean {near[0]}?" if near else ""
