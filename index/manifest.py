"""What an index was built from: same inputs, same manifest, byte for byte; no clock, no path, no machine in it.

Comes in: the facts of a build. Goes out: JSON and back, the name of the generation. Does not know: where files lie or
how they were made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

FORMAT = 3


@dataclass(frozen=True, slots=True)
class Manifest:
    """The facts of one generation.

    `encoder` names model and weights, `dim` is the length of its vectors. `splitter` holds what decides where passages
    end. `documents` is document id → digest, `corpus` one SHA-256 over them. `calibration` is the encoder's own scale
    of cosines (see scale.py). `files` is file name → SHA-256 of its bytes, `sizes` how many there are. `serving` says
    how the encoder is run: by a network written down beside the generations (its folder, the SHA-256 of its facts, the
    least cosine with the model it was made from), or by sentence-transformers, and why. `trust` is what a `Calibrator`
    found out about these documents, and under "reader" whom it holds for; empty where none was asked.
    """

    encoder: str
    dim: int
    splitter: Mapping[str, str | int]
    documents: Mapping[str, str]
    corpus: str
    calibration: Mapping[str, float]
    files: Mapping[str, str]
    sizes: Mapping[str, int]
    serving: Mapping[str, str | float]
    trust: Mapping[str, str | float] = field(default_factory=dict)
    format: int = FORMAT

    def to_json(self) -> str:
        """The manifest as JSON, keys sorted."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read what `to_json` wrote. Raises ValueError saying what is wrong with it."""
        found = json.loads(text)
        if not isinstance(found, dict) or "format" not in found:
            raise ValueError("it is no manifest")
        if found["format"] != FORMAT:
            raise ValueError(f"its format is {found['format']!r}, this version reads {FORMAT}")
        names = {each.name for each in fields(cls)}
        if set(found) != names:
            raise ValueError(f"its keys differ: {', '.join(sorted(set(found) ^ names))}")
        kinds = {"encoder": str, "dim": int, "corpus": str}
        for name in names:
            if not isinstance(found[name], kinds.get(name, int if name == "format" else dict)):
                raise ValueError(f"{name} is {found[name]!r}")
        return cls(**found)

    @property
    def generation(self) -> str:
        """The name of this content: the start of a SHA-256 over the manifest."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]


def corpus_digest(documents: Mapping[str, str]) -> str:
    """One SHA-256 over document ids and digests, whatever their order."""
    return hashlib.sha256(json.dumps(sorted(documents.items())).encode()).hexdigest()
