"""Bytes on a disk: whether they are the ones written, and whether they are there to stay.

Comes in: paths. Goes out: checksums; nothing until the disk has it. Does not know: what the files hold.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def checksum(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
