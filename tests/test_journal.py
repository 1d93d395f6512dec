"""The journal: off by default, redacted, deleted on time, erased at once, and never a word of an emergency."""

from __future__ import annotations

import re
import shutil
import stat
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bot.bot import Bot
from bot.faces import cli
from bot.faces.api import create_app
from bot.journal import Journal, JournalFault
from bot.redact import FOLDER, NAME, redact
from bot.reply import UNSURE, Kind
from bot.settings import JournalSettings, Settings
from bot.spelling import public
from bot.words import KEPT, SENT, Words
from tests.bench.private import WORD, left, messages
from tests.serving import served

SECRET = "zebrafish"
BREATHLESS = f"my baby {SECRET} has stopped breathing"


def kept(folder: Path, **chosen: object) -> JournalSettings:
    """A journal that is on, in that folder."""
    return JournalSettings.model_validate({"on": True, "file": folder / "journal.sqlite", **chosen})


def on_disk(folder: Path) -> bytes:
    """Every byte of the journal's files, its log included."""
    return b"".join(path.read_bytes() for path in folder.glob("journal.sqlite*"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Write to anna.b@example.org about milk", "Write to [address] about milk"),
        ("see https://me.example.org/x?id=3 now", "see [address] now"),
        ("call +44 7700 900123, thanks", "call [number], thanks"),
        ("it is 07700 900123", "it is [number]"),
        ("born 12/03/1985, NHS 943 476 5919", "born [number], NHS [number]"),
        ("I take 500 mg for 10 to 15 days", "I take 500 mg for 10 to 15 days"),
        ("10 mg x3 a day, 37.5 degrees", "10 mg x3 a day, 37.5 degrees"),
        ("my name is Anna", "my name is [name]"),
        ("i'm priya sharma, from 14 elm street, leeds", "i'm [name], from [address]"),
        ("is [name] a name, [address] an address", "is [name] a name, [address] an address"),
        ("Does it matter that Will was adopted?", "Does it matter that Will was adopted?"),  # missed, as the page says
    ],
)
def test_addresses_and_numbers_are_taken_out(text: str, shown: str) -> None:
    """What could reach or identify a person goes; a dose, a duration and a temperature stay."""
    assert redact(text, "GB") == shown


@given(st.text(max_size=80))
def test_any_text_is_redacted(text: str) -> None:
    """Nothing fails, and no long run of digits is left."""
    assert not any(run.isdigit() and len(run) > 3 for run in redact(text, "US").split())


def test_names_and_addresses_are_found_as_often_as_the_page_says() -> None:
    """On messages nothing was chosen on: most names, nearly all addresses, and few other words."""
    told = [one for one in messages() if one.half == "report"]
    names, addresses, others = [0, 0], [0, 0], [0, 0]
    for one in told:
        rest = left(one.text, redact(one.text))
        for tally, words in ((names, one.names), (addresses, one.addresses)):
            tally[0] += len(words) - sum((Counter(words) & rest).values())
            tally[1] += len(words)
        other = Counter(WORD.findall(one.text)) - Counter(one.names) - Counter(one.addresses)
        others[0] += sum((other - rest).values())
        others[1] += sum(other.values())
    assert names[0] >= 0.85 * names[1], names
    assert addresses[0] >= 0.95 * addresses[1], addresses
    assert others[0] <= 0.06 * others[1], others


def test_a_name_is_found_wherever_it_stands() -> None:
    """In a message as long as one may be, at its end and across the places where it is cut to be read."""
    for filler in (0, 380, 395, 400, 430, 455, 465, 475, 480, 800, 1955):
        text = "milk " * (filler // 5) + "My name is Priya Sharma. " + "milk " * ((1960 - filler) // 5)
        assert "Sharma" not in redact(text), filler


def test_what_the_model_cannot_read_is_not_kept() -> None:
    """A stretch that has more word pieces than the model takes leaves no word."""
    assert redact("우유는 어떻게 만들어지나요 " * 25).strip() == NAME


def test_medicines_and_the_documents_own_words_stay(bot: Bot) -> None:
    """What is nobody's name is kept, however odd it looks to a model of names."""
    asked = "Is Domperidone sold for galactorrhea, says Priya"
    assert redact(asked, "", lambda word: public(word, bot.index)) == asked.replace("Priya", NAME)


@pytest.mark.parametrize(
    ("locale", "promised", "said", "private"),
    [
        (
            "en",
            "Phone numbers, addresses and names are taken out",
            "Call Priya Sharma, 14 Elm Street, Springfield, on 07700 900123 or p.s@example.org: can men produce milk?",
            "Priya Sharma Elm Street Springfield 07700 900123 example",
        ),
        (
            "es",
            "e quitan teléfonos, direcciones y nombres",
            "Soy María González, calle Mayor 14, Madrid, 612 345 678, m.g@example.org: ¿qué es la prolactina?",
            "María González Mayor Madrid 612 345 678 example",
        ),
        (
            "ar",
            "من غير أرقام هواتف أو عناوين بريد",  # names and addresses, it says, may be left in it
            "أنا أحمد ٠٦١٢٣٤٥٦٧٨ a.h@example.org هل يستطيع الرجال إنتاج الحليب؟",
            "٠٦١٢٣٤٥٦٧٨ example",
        ),
    ],
)
def test_the_notices_promise_what_is_done(locale: str, promised: str, said: str, private: str) -> None:
    """What each language says is taken out of what is kept or sent is taken out of a message in it."""
    words = Words.load()
    kept, sent = words.telling(KEPT, days=30), words.telling(SENT, who="Example AI")
    both = kept.telling(SENT, who="Example AI")
    ids = ("privacy",) if locale == "ar" else ("privacy", "safety-private")  # Arabic is for the widget's frame
    assert all(promised in each.text(id, locale) for each in (kept, sent, both) for id in ids)
    assert not set(private.split()) & set(re.findall(r"\w+", redact(said, "ES" if locale == "es" else "GB")))


def test_nothing_is_kept_by_default(bot: Bot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it is switched on no file is made, and the page says that nothing is stored."""
    monkeypatch.chdir(tmp_path)
    with served(create_app(bot, bot.settings)) as url:
        httpx.post(f"{url}/v1/ask", json={"question": "Can men produce milk?"}, timeout=60)
        httpx.post(f"{url}/v1/feedback", json={"vote": "down", "kind": "answer", "question": SECRET})
    assert not list(tmp_path.iterdir())
    assert "not stored" in bot.words.text("privacy", "en")


def test_what_is_asked_and_voted_is_kept_redacted(bot: Bot, index_dir: Path, tmp_path: Path) -> None:
    """Over HTTP: kind, reason and redacted words; of an emergency only that there was one."""
    settings = bot.settings.model_copy(update={"journal": kept(tmp_path), "locale": "en-GB"})
    noting = Bot.open(index_dir, settings)
    assert "90 days" in noting.words.text("privacy", "en")
    app = create_app(noting, settings)
    with served(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        for question in ("Can men produce milk?", "Does a pump from 07700 900123 hurt?", BREATHLESS):
            client.post("/v1/ask", json={"question": question})
        vote: dict[str, object] = {
            "vote": "down",
            "kind": "answer",
            "reason": "write to a@example.org",
            "question": "Can men?",
        }
        vote["passages"] = [SECRET]  # whatever a client puts there is not kept
        assert client.post("/v1/feedback", json=vote).status_code == 204
        client.post("/v1/feedback", json={"vote": "down", "kind": "urgent", "question": BREATHLESS})
    journal: Journal = app.state.tally.journal
    asked = {one.kind: one for one in journal.asked()}
    assert asked[Kind.ANSWER].text == "Can men produce milk?"
    assert asked[Kind.ABSTAIN].text == "Does a pump from [number] hurt?"
    assert asked[Kind.URGENT].text is None
    assert asked[Kind.URGENT].reason
    assert {(one.kind, one.reason, one.text) for one in journal.votes()} == {
        (Kind.ANSWER, "write to [address]", "Can men?"),
        (Kind.URGENT, None, None),
    }
    assert SECRET.encode() not in on_disk(tmp_path)
    assert stat.S_IMODE((tmp_path / "journal.sqlite").stat().st_mode) == 0o600


def test_of_what_may_be_a_red_flag_no_words_are_kept(bot: Bot, tmp_path: Path) -> None:
    """A reply that begins with a word of caution leaves its kind and reason, a vote on a referral its kind alone."""
    journal = Journal(kept(tmp_path))
    journal.record(replace(bot.reply("How much domperidone should I take?"), reason=UNSURE))
    journal.vote("down", Kind.REFER, "it is for my sister", "is she in danger?")
    assert [(one.reason, one.text) for one in journal.asked()] == [(UNSURE, None)]
    assert [(one.kind, one.reason, one.text) for one in journal.votes()] == [(Kind.REFER, None, None)]
    journal.close()


def test_words_can_be_left_out(bot: Bot, tmp_path: Path) -> None:
    """With `words` off only kinds, reasons and days are kept."""
    journal = Journal(kept(tmp_path, words=False))
    journal.record(bot.reply("Can men produce milk?"))
    journal.vote("up", "answer", SECRET, SECRET)
    assert [(one.kind, one.text) for one in journal.asked()] == [(Kind.ANSWER, None)]
    assert SECRET.encode() not in on_disk(tmp_path)


def test_a_day_past_retention_is_gone_from_the_disk(tmp_path: Path) -> None:
    """After `days` an entry is deleted and its bytes with it, in the file and in its log; younger ones stay."""
    journal = Journal(kept(tmp_path, days=30))
    journal.vote("down", "answer", None, SECRET)
    assert SECRET.encode() in on_disk(tmp_path)
    assert journal.prune(date.today() + timedelta(days=30)) == 0
    assert journal.prune(date.today() + timedelta(days=31)) == 1
    assert SECRET.encode() not in on_disk(tmp_path)
    assert not list(journal.votes())


def test_erase_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One command empties the journal while a server still has it open, and says how much there was."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "milkwise.toml").write_text('[journal]\non = true\nfile = "journal.sqlite"\n')
    nothing = CliRunner().invoke(cli.app, ["erase", "--yes"])
    assert nothing.exit_code == 1
    assert "no journal here" in nothing.stderr
    journal = Journal(kept(tmp_path))
    journal.vote("down", "answer", None, SECRET)
    assert CliRunner().invoke(cli.app, ["erase"], input="n\n").exit_code == 1
    assert len(list(journal.votes())) == 1
    done = CliRunner().invoke(cli.app, ["erase", "--yes"])
    assert (done.exit_code, done.stdout) == (0, "erased 1 entries of journal.sqlite\n")
    assert not list(journal.votes())
    assert SECRET.encode() not in on_disk(tmp_path)


def test_the_model_of_names_is_opened_only_where_words_are_kept(
    bot: Bot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It costs nothing where the journal is off or wordless; where it is needed and damaged, the start stops."""
    (shutil.copytree(FOLDER, tmp_path / "redactor") / "tokenizer.json").write_text("{}")
    monkeypatch.setattr(bot, "observers", bot.observers)  # put back what each app sets
    monkeypatch.setattr("bot.redact.FOLDER", tmp_path / "redactor")
    for journal in (JournalSettings.model_validate({}), kept(tmp_path, words=False)):
        create_app(bot, bot.settings.model_copy(update={"journal": journal}))
    with pytest.raises(JournalFault, match=r"tokenizer\.json .* words = false"):
        create_app(bot, bot.settings.model_copy(update={"journal": kept(tmp_path)}))


def test_a_broken_journal_is_named_and_costs_no_answer(bot: Bot, index_dir: Path, tmp_path: Path) -> None:
    """A file that is no journal is refused with a remedy; one that fails later costs an entry, not an answer."""
    (tmp_path / "journal.sqlite").write_text("no database, but long enough to be looked at as one" * 40)
    with pytest.raises(JournalFault, match=r"journal\.sqlite: .* Make room"):
        Journal(kept(tmp_path))
    (tmp_path / "journal.sqlite").unlink()
    settings: Settings = bot.settings.model_copy(update={"journal": kept(tmp_path)})
    app = create_app(Bot.open(index_dir, settings), settings)
    app.state.tally.journal.close()
    with served(app) as url:
        answer = httpx.post(f"{url}/v1/ask", json={"question": "Can men produce milk?"}, timeout=60)
    assert answer.json()["kind"] == "answer"
