"""What can be checked of Dockerfile and compose.yaml without a Docker engine; `deploy/check` tries their steps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import yaml
from starlette.types import Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from bot.faces.api import create_app
from bot.faces.server import config
from bot.settings import Settings, load, table
from tests.serving import served

ROOT = Path(__file__).parents[1]
RECIPE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))


def steps(name: str) -> list[str]:
    """What follows each instruction of that name, in order."""
    return re.findall(rf"^{name}\s+(.+)$", RECIPE, re.M)


def test_what_is_copied_is_there_and_let_through() -> None:
    """Each file the image is made of is in the repository, and .dockerignore keeps none of them out."""
    allowed = set((ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines())
    copied = [source for step in steps("COPY") if "--from" not in step for source in step.split()[:-1]]
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in allowed, source


def test_it_is_not_root_and_writes_in_one_place() -> None:
    """A user by number, and one volume; compose mounts that one, with everything else read-only and nothing allowed."""
    assert steps("USER")[-1].partition(":")[0].isdigit() and steps("USER")[-1] != "0"
    (service,) = COMPOSE["services"].values()
    assert [volume.partition(":")[2] for volume in service["volumes"]] == steps("VOLUME") == steps("WORKDIR")[-1:]
    assert {volume.partition(":")[0] for volume in service["volumes"]} == set(COMPOSE["volumes"])
    assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["tmpfs"] == ["/tmp"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert all(port.startswith("127.0.0.1:") and port.endswith(f":{steps('EXPOSE')[0]}") for port in service["ports"])


def test_each_visitor_counts_alone_behind_a_proxy_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each variable the pages and compose files set is a setting with a value it takes; the proxy's word counts.

    The proxy comes in by the gateway of one of Docker's networks: without this all visitors would share one limit.
    """
    (service,) = COMPOSE["services"].values()
    given = dict(re.findall(r"(MILKWISE_\w+)=([\d./,]+)", (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")))
    for variables in (given, service["environment"]):
        assert set(variables) == {"MILKWISE_PROXIES"}
        monkeypatch.setenv("MILKWISE_PROXIES", variables["MILKWISE_PROXIES"])
        site = config(create_app(None, load()), load())
        assert site.proxy_headers and site.forwarded_allow_ips == list(load().proxies)
        seen: list[str] = []

        async def ask(trusted: list[str], seen: list[str] = seen) -> None:
            async def app(scope: Scope, receive: Receive, send: Send) -> None:
                seen.append(scope["client"][0])

            scope = {"type": "http", "client": ("172.17.0.1", 5), "headers": [(b"x-forwarded-for", b"203.0.113.7")]}
            await ProxyHeadersMiddleware(app, trusted)(scope, None, None)  # type: ignore[arg-type]  # not used

        anyio.run(ask, list(site.forwarded_allow_ips))
        assert seen == ["203.0.113.7"]


def test_its_settings_port_and_health_check_are_real() -> None:
    """Each MILKWISE_ variable is a setting, the port is the default one, and the address asked for health is there."""
    names = {name for name, *_ in table()}
    assert {name.lower() for name in re.findall(r"MILKWISE_(\w+)=", RECIPE)} <= names
    assert steps("EXPOSE") == [str(Settings.model_fields["port"].default)]
    (path,) = re.findall(r"127\.0\.0\.1:\d+(/\w+)", RECIPE)
    with served(create_app(None, load())) as url:
        assert httpx.get(f"{url}{path}", timeout=60).status_code == 503  # there, and no index yet
