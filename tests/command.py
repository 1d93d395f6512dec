"""The installed `milkwise` command, run in a pipe as anyone would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MILKWISE = Path(sys.executable).with_name("milkwise")
PATIENCE_S = 180


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end in that folder, with these variables added to the environment."""
    return subprocess.run(
        [str(MILKWISE), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={**os.environ, **environment},
    )
