"""Vetting: what an editor should see to is named with its file, line and remedy."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from corpus.check import Finding, check

TODAY = date(2026, 11, 23)
FRONT = (
    "---\ntitle: Soup\npublisher: The Ladle\nlicence: CC0-1.0\nreviewed: {reviewed}\n{more}---\n\n# Soup\n\n{text}\n"
)


def vet(path: Path, reviewed: str = "2026-01-31", more: str = "", text: str = "Soup is food.") -> list[Finding]:
    """The findings for one Markdown file."""
    path.write_text(FRONT.format(reviewed=reviewed, more=more, text=text), encoding="utf-8")
    return check(path, TODAY, 36)


def test_nothing_to_say(tmp_path: Path) -> None:
    """A document whose origin and review are known and fresh, in any script, has no findings."""
    text = "Crème brûlée à l’été – “fine”. 漢字 и щи. Ünüversal naïveté, 80 °C ± 2 µm."
    assert vet(tmp_path / "a.md", text=text) == []


def test_missing_origin(tmp_path: Path) -> None:
    """A missing publisher or licence is an error with the line where it belongs; an empty one, where it stands."""
    (tmp_path / "a.md").write_text("---\nreviewed: 2026-01-01\nlicence:\n---\nSoup is food.", encoding="utf-8")
    found = check(tmp_path, TODAY, 36)
    assert [(each.file, each.line, each.error) for each in found] == [("a.md", 1, True), ("a.md", 3, True)]
    assert "publisher" in found[0].what and "front matter" in found[0].remedy
    assert str(found[1]) == "a.md, line 3: the licence is missing. Add 'licence: …' to its front matter."


def test_not_yet_reviewed(tmp_path: Path) -> None:
    """An empty review date is named but no error: every face shows that nobody has reviewed the document."""
    (found,) = vet(tmp_path / "a.md", reviewed="")
    assert (found.line, found.error) == (5, False)
    assert "no clinician has reviewed" in found.what


@pytest.mark.parametrize(
    ("reviewed", "overdue"),
    [("2023-11-23", False), ("2023-11-22", True), ("2023-12-31", False), ("2020-02-29", True), ("2026-11-23", False)],
)
def test_overdue_review(tmp_path: Path, reviewed: str, overdue: bool) -> None:
    """A review is overdue the day after its months are over."""
    found = vet(tmp_path / "a.md", reviewed=reviewed)
    assert [each.line for each in found] == [5] * overdue
    assert all("36 months" in each.what and each.error for each in found)


def test_review_by_has_passed(tmp_path: Path) -> None:
    """A document's own date for its next review counts too."""
    (found,) = vet(tmp_path / "a.md", more="review_by: 2026-11-22\n")
    assert (found.line, "2026-11-22" in found.what) == (6, True)
    assert vet(tmp_path / "a.md", more="review_by: 2026-11-23\n") == []


def test_review_in_the_future(tmp_path: Path) -> None:
    """A review date that has not come yet is an error."""
    (found,) = vet(tmp_path / "a.md", reviewed="2026-11-24")
    assert "not come yet" in found.what


@pytest.mark.parametrize("text", ["The cafÃ© is open.", "It doesnâ€™t boil.", "Cr\ufffdme is thick.", "Ã¼ber Ã¤lle"])
def test_mojibake(tmp_path: Path, text: str) -> None:
    """Text that was read in the wrong encoding once is found, with its line and the words."""
    (found,) = vet(tmp_path / "a.md", text=f"Soup is food.\n\n{text}")
    assert (found.line, found.error) == (12, True)
    assert "damaged" in found.what and "UTF-8" in found.remedy


def test_mojibake_in_html(tmp_path: Path) -> None:
    """Damage in a page is found with its line, though a page's blocks have none."""
    (tmp_path / "a.html").write_text("<main>\n<p>Soup.\n<p>The cafÃ© is <b>open</b>.</main>", encoding="utf-8")
    assert [each.line for each in check(tmp_path, TODAY, 36) if "damaged" in each.what] == [3]


def test_faults_come_with_it(tmp_path: Path) -> None:
    """What could not be read, a second id and an empty document are findings too."""
    (tmp_path / "a.md").write_text("---\nid: soup\ntitel: x\n---\nText.", encoding="utf-8")
    (tmp_path / "b.md").write_text("# Only a heading\n", encoding="utf-8")
    for name in ("c.md", "d.md"):
        vet(tmp_path / name, more="id: soup\n")
    found = check(tmp_path, TODAY, 36)
    assert [(each.file, each.line) for each in found] == [("a.md", 3), ("b.md", None), ("d.md", 6)]
    assert [word in each.what for word, each in zip(("titel", "empty", "'soup'"), found, strict=True)] == [True] * 3
    assert all(each.error and each.remedy for each in found)


def test_files_without_front_matter(tmp_path: Path) -> None:
    """Where a file cannot carry metadata, the remedy names the sidecar and the defaults."""
    (tmp_path / "a.csv").write_text("question,answer\nHot?,Yes.\n", encoding="utf-8")
    found = check(tmp_path, TODAY, 36)
    assert len(found) == 3
    assert all("a.csv.yaml" in each.remedy and "defaults.yaml" in each.remedy for each in found)
    (tmp_path / "a.csv.yaml").write_text("publisher: X\nreviewed: 2020-01-01\nlicence: Y\n", encoding="utf-8")
    (overdue,) = check(tmp_path, TODAY, 36)
    assert (overdue.file, overdue.line) == ("a.csv.yaml", 2)


def test_the_bundled_documents_pass() -> None:
    """The documents that are shipped have no finding but that no clinician has reviewed them yet."""
    found = check(Path(__file__).parents[1] / "corpus" / "documents", TODAY, 36)
    assert [each for each in found if each.error] == []
