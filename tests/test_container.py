"""What can be checked of Dockerfile and compose.yaml without a Docker engine; `deploy/check` tries their steps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import yaml

from bot.faces.api import create_app
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


def test_its_settings_port_and_health_check_are_real() -> None:
    """Each MILKWISE_ variable is a setting, the port is the default one, and the address asked for health is there."""
    names = {name for name, *_ in table()}
    assert {name.lower() for name in re.findall(r"MILKWISE_(\w+)=", RECIPE)} <= names
    assert steps("EXPOSE") == [str(Settings.model_fields["port"].default)]
    (path,) = re.findall(r"127\.0\.0\.1:\d+(/\w+)", RECIPE)
    with served(create_app(None, load())) as url:
        assert httpx.get(f"{url}{path}", timeout=60).status_code == 503  # there, and no index yet
