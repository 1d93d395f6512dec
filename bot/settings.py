"""Every setting, in one frozen table: defaults < milkwise.toml < MILKWISE_* < what the caller passes.

Comes in: a folder's `milkwise.toml`, the environment, flags. Goes out: one `Settings`. The only module that reads the
environment. Does not know what the settings are used for.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

BUNDLED = Path(__file__).parents[1] / "corpus" / "documents"
FILE = "milkwise.toml"
SHORTEST_TOKEN = 16


class SettingsError(Exception):
    """A setting that cannot be used: names the key, the value and the remedy."""


def _store(address: str) -> str:
    """An address a database is reached by, or none."""
    if address and not address.startswith(("postgresql://", "postgres://")):
        raise ValueError("write it like postgresql://user@host:5432/database")
    return address


def _origin(site: str) -> str:
    """A site as a browser names it: scheme, host, port where it is not the usual one, and nothing else."""
    if not re.fullmatch(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?", site):
        raise ValueError(
            f"{site!r} is no origin: write it like https://www.example.org, lower case, no path, no final /"
        )
    return site


def _host(name: str) -> str:
    """A name as a browser's Host header has it, without a port."""
    if not re.fullmatch(r"\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name):
        raise ValueError(f"{name!r} is no host name: write it like help.example.org, lower case, no scheme, no port")
    return name


def _listed(sites: object) -> object:
    """A variable holds several sites between commas or spaces."""
    return tuple(re.findall(r"[^\s,]+", sites)) if isinstance(sites, str) else sites


def _rate(limit: str) -> str:
    """Counts by time, such as "20/minute, 200/hour"; "" for no limit."""
    one = r"[1-9]\d{0,6}/(second|minute|hour|day)"
    if not re.fullmatch(f"({one}(, ?{one})*)?", limit):
        raise ValueError(f'{limit!r} is no limit: write it like "20/minute, 200/hour", or "" for none')
    return limit


def _proxy(address: str) -> str:
    """An address or network as the ipaddress module reads it."""
    ipaddress.ip_network(address)
    return address


Rate = Annotated[str, AfterValidator(_rate)]
Proxies = Annotated[tuple[Annotated[str, AfterValidator(_proxy)], ...], NoDecode, BeforeValidator(_listed)]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_listed)]
Hosts = Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], NoDecode, BeforeValidator(_listed)]


def _long(token: SecretStr) -> SecretStr:
    if 0 < len(token.get_secret_value()) < SHORTEST_TOKEN:
        raise ValueError(f"it has fewer than {SHORTEST_TOKEN} characters")
    return token


class JournalSettings(BaseModel):
    """What is kept of questions and thumbs: nothing, unless it is switched on; every page then says so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: bool = Field(False, description="keep questions and thumbs for the report; every page then says so")
    file: Path = Field(Path("milkwise-journal.sqlite"), description="the file they are kept in")
    days: int = Field(90, ge=1, le=730, description="days after which each is deleted")
    words: bool = Field(True, description="keep redacted words; off keeps only what kind of reply they had")


class Settings(BaseSettings):
    """What an operator can choose. Paths are relative to the working folder."""

    model_config = SettingsConfigDict(
        env_prefix="MILKWISE_", env_nested_delimiter="__", toml_file=FILE, frozen=True, extra="forbid"
    )

    documents: Path = Field(BUNDLED, description="file or folder of vetted documents; default: the bundled article")
    index: Path = Field(Path(".milkwise"), description="folder the index is kept in")
    store: Annotated[str, AfterValidator(_store)] = Field(
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
    editor_token: Annotated[SecretStr, AfterValidator(_long)] = Field(
        SecretStr(""), description="password of the editor's page at /editor, 16 characters or more; none closes it"
    )
    journal: JournalSettings = Field(
        JournalSettings.model_validate({}), description="a table of its own, see `journal.…`"
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
        secret = key == "store" or "token" in key  # an address can hold a password
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
