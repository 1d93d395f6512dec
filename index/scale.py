"""What a cosine is worth with a given encoder: how near unrelated sentences and paraphrases come.

Comes in: an encoder and the everyday sentence pairs of scale.toml. Goes out: two means and two standard deviations.
Does not know: the corpus, so that the scale stays the same whatever is indexed.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np

from index.contract import Encoder


def calibrate(encoder: Encoder) -> dict[str, float]:
    """`unrelated`, `paraphrase` (mean cosines) and `unrelated_sd`, `paraphrase_sd`, rounded to 6 decimals.

    Unrelated are sentences of different pairs, and so are many more than the paraphrases.
    """
    pairs = tomllib.loads(Path(__file__).with_name("scale.toml").read_text(encoding="utf-8"))["pairs"]
    left = encoder.encode([pair[0] for pair in pairs])
    right = encoder.encode([pair[1] for pair in pairs])
    cosines = np.array(left @ right.T, np.float64)
    same = np.eye(len(pairs), dtype=bool)
    scale: dict[str, float] = {}
    for name, found in (("unrelated", cosines[~same]), ("paraphrase", cosines[same])):
        scale[name], scale[f"{name}_sd"] = round(float(found.mean()), 6), round(float(found.std()), 6)
    return scale
