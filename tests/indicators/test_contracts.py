"""Contracts are read, refused with clear words, found by day, and never change in silence."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import pytest

from indicators.contracts import (
    Contract,
    ContractError,
    Contracts,
    UnknownIndicatorError,
    contract_hash,
    load,
    read,
)

FOLDER = Path(__file__).parents[2] / "indicators" / "contracts"
PM25 = FOLDER / "air.aqi.us.pm25-2024.1.0.toml"

# What was published under a version stays computable: a change here is a new version instead.
HASHES = {
    name: digest
    for line in (Path(__file__).parent / "contract_hashes.txt").read_text().splitlines()
    for name, digest in [line.split()]
}


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return load()


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[str, str], Path]:
    """Return a function that writes a contract with one text replaced."""

    def edit(old: str, new: str) -> Path:
        text = PM25.read_text(encoding="utf-8")
        assert old in text
        path = tmp_path / PM25.name
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    return edit


def test_a_definition_does_not_change_under_its_version(contracts: Contracts) -> None:
    every = [each for name in contracts.ids() for each in contracts.versions(name)]
    assert {f"{each.id}@{each.version}": contract_hash(each)[:16] for each in every} == HASHES


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("accept_suspect = true", "accept_suspect = 1", "accept_suspect", "Expected `bool`"),
        ("accept_suspect = true", "", "file", "missing required field `accept_suspect`"),
        ("lateness_h = 48", "lateness = 48", "file", "unknown field `lateness`"),
        ("lateness_h = 48", "lateness_h = = 48", "file", "Invalid value"),
        ("lateness_h = 48", "lateness_h = -1", "lateness_h", "come after"),
        ('version = "2024.1.0"', 'version = "2024"', "version", "three numbers"),
        ('id = "air.aqi.us.pm25"', 'id = "AQI"', "id", "dotted"),
        ('id = "air.aqi.us.pm25"', 'id = "air.other"', "id", "is to be named air.other-2024.1.0"),
        ("en = ", "ar = ", "title", "English"),
        ('unit = "1"', 'unit = "index"', "unit", "UCUM"),
        ('quantity = "pm2_5"', 'quantity = "pm25x"', "inputs[0]", "not stored"),
        ("longest_interval_s = 3600", "longest_interval_s = 0", "inputs[0].longest_interval_s", ""),
        ("day = 0.75", "day = 1.2", "completeness.day", "no fraction"),
        ("day = 0.75", "decade = 0.75", "completeness.decade", "levels are"),
        (", day = 0.75", "", "completeness.day", "no threshold"),
        ('"day"', "", "grains", "grain"),
        ('"day"', '"fortnight"', "grains[0]", "fortnight"),
        ("lateness_h = 48", "lateness_h = 48\nvalid_to = 2024-05-06", "valid_to", ""),
        ("lateness_h = 48", 'lateness_h = 48\nsupersedes = "older"', "supersedes", "id@version"),
        ('lower = "9.1"', 'lower = "9.0"', "bands[0]", "does not end below 'moderate'"),
        ("index = [51, 100]", "index = [50, 100]", "bands[0].index", "'moderate'"),
        ("index = [51, 100]", "", "bands", "an index needs"),
        ('upper = "9.0"', 'upper = "-9.0"', "bands[0]", "ends before"),
        ("truncate_input = 1", "", "rounding.truncate_input", "cut"),
        ('mark = "VERIFIED"', 'mark = "FROM MEMORY"', "provisional", "FROM MEMORY"),
        ('mark = "VERIFIED"', 'mark = "GUESSED"', "sources[0].mark", "GUESSED"),
        ('name = "mean_index"', 'name = "median_index"', "formula.name", "median_index"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named_with_file_and_field(
    edited: Callable[[str, str], Path], old: str, new: str, field: str, words: str
) -> None:
    with pytest.raises(ContractError) as caught:
        read(edited(old, new))
    assert caught.value.file == PM25.name
    assert caught.value.field == field
    assert words in str(caught.value)


def test_a_contract_without_vectors_sources_or_inputs_is_refused(tmp_path: Path) -> None:
    whole = PM25.read_text(encoding="utf-8")
    for part, field in (("tests", "tests"), ("sources", "sources"), ("inputs", "inputs")):
        blocks = whole.split("\n\n")
        kept = [block for block in blocks if not block.startswith(f"[[{part}]]")]
        path = tmp_path / PM25.name
        head = f"{part} = []\n" + "\n\n".join(kept)
        path.write_text(head, encoding="utf-8")
        with pytest.raises(ContractError) as caught:
            read(path)
        assert caught.value.field == field


@pytest.mark.parametrize(
    ("name", "old", "new", "field"),
    [
        ("noise.lden-1.0.0", "weight_h = 12", "weight_h = 13", "formula.periods"),
        ("noise.lday-1.0.0", "period = 0.75, ", "", "completeness.period"),
        ("noise.lday-1.0.0", ", quarters = 3", "", "completeness.quarters"),
        ("noise.lday-1.0.0", "quarters = 3", "quarters = 5", "completeness.quarters"),
        ("noise.l10-1.0.0", "hour = 0.75, ", "", "completeness.hour"),
        ("air.nowcast.pm25-2024.1.0", "hour = 0.75", "", "completeness.hour"),
        ("air.aqi.us.overall-2024.1.0", "air.aqi.us.co", "air.eaqi.co", "formula.components"),
        ("air.aqi.us.overall-2024.1.0", "us.co", "us.overall", "formula.components"),
    ],
)
def test_a_formula_has_its_parameters(
    tmp_path: Path, name: str, old: str, new: str, field: str
) -> None:
    path = tmp_path / f"{name}.toml"
    text = (FOLDER / path.name).read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        read(path)
    assert caught.value.field == field


def test_the_hash_follows_the_meaning_only(contracts: Contracts) -> None:
    contract = contracts.get("air.aqi.us.pm25", "2024.1.0")
    replace = msgspec.structs.replace
    same = replace(contract, title={"en": "Other words"}, tests=(), valid_to=date(2030, 1, 1))
    assert contract_hash(same) == contract_hash(contract)
    for other in (
        replace(contract, accept_suspect=False),
        replace(contract, lateness_h=72),
        replace(contract, bands=contract.bands[:-1]),
    ):
        assert contract_hash(other) != contract_hash(contract)


def test_the_version_that_governs_the_start_of_a_window_is_chosen(contracts: Contracts) -> None:
    newer = contracts.get("air.aqi.us.pm25", "2024.1.0")
    older = version(newer, "2012.1.0", date(2012, 12, 14), date(2024, 5, 6))
    both = Contracts([newer, older])
    found = {
        day: both.governing(newer.id, day)
        for day in (date(2010, 1, 1), date(2012, 12, 14), date(2024, 5, 5), date(2024, 5, 6))
    }
    assert [(each.contract.version, each.retrospective) for each in found.values()] == [
        ("2012.1.0", True), ("2012.1.0", False), ("2012.1.0", False), ("2024.1.0", False)
    ]  # fmt: skip
    assert [each.version for each in both.versions(newer.id)] == ["2012.1.0", "2024.1.0"]


def test_versions_that_govern_the_same_day_are_refused(contracts: Contracts) -> None:
    newer = contracts.get("air.aqi.us.pm25", "2024.1.0")
    for ends in (None, date(2025, 1, 1)):
        with pytest.raises(ContractError, match="still governs"):
            Contracts([newer, version(newer, "2012.1.0", date(2012, 12, 14), ends)])


def test_what_nobody_defined_is_said(contracts: Contracts) -> None:
    with pytest.raises(UnknownIndicatorError, match="nobody defined"):
        contracts.get("air.smell", "1.0.0")
    with pytest.raises(UnknownIndicatorError, match=r"no version 9\.9\.9"):
        contracts.get("noise.lden", "9.9.9")
    ended = version(
        contracts.get("noise.lden", "1.0.0"), "1.0.0", date(2002, 1, 1), date(2020, 1, 1)
    )
    with pytest.raises(UnknownIndicatorError, match="no version governs"):
        Contracts([ended]).governing("noise.lden", date(2020, 1, 1))


def version(contract: Contract, number: str, first: date, after: date | None) -> Contract:
    return msgspec.structs.replace(contract, version=number, valid_from=first, valid_to=after)
