"""A mapping that cannot be followed says which member and why."""

from pathlib import Path

import pytest

from loadtest.replay.mapping import MappingError, read_mapping

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "replay").glob("*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_can_be_followed(path: Path) -> None:
    assert read_mapping(path.read_bytes()).title


def test_examples_have_providers_of_their_own() -> None:
    providers = [read_mapping(path.read_bytes()).provider for path in EXAMPLES]
    assert len(providers) == len({*providers}) == 9


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('provider = "test-air"', "provider = ", "Invalid value"),
        ('provider = "test-air"', 'provider = "test air"', "`provider` is no name"),
        ('format = "csv"', 'format = "xlsx"', "format"),
        ('format = "csv"', 'format = "csv"\ndelimiter = ";"', "delimiter"),
        ('format = "csv"', 'format = "csv"\nseparator = ""', "`separator`"),
        ('format = "csv"', 'format = "csv"\nrows = "items"', "`rows` is for JSON"),
        ('format = "csv"', 'format = "csv"\neach = "items"', "`each` is for JSON"),
        ('quantity = "pm2_5"', 'quantity = "PM2.5"', "'PM2.5' of column 'PM2.5' is no quantity"),
        ('id = "{station}"', 'id = ""', "`device.id`"),
        ('interval = "step"', "interval = -1", "`device.interval`"),
        ('interval = "step"', 'kind = "Air"', "`device.kind` 'Air'"),
        ('interval = "step"', 'lat = "{lat}"', "`device.lat` and `device.lon`"),
        ('zone = "+08:00"', "", "`time`: times like 'yyyy-MM-dd HH' have no zone"),
        ('zone = "+08:00"', 'zone = "Asia/Atlantis"', "'Asia/Atlantis' is no zone"),
        ('format = "yyyy-MM-dd HH"', 'format = "HH:mm"', "'HH:mm' has no yyyy"),
        (
            'format = "csv"',
            'format = "ndjson"\n[message]\ntopic = "a"\npattern = "a"\ncodec = "native"\n[more]',
            "more",
        ),
    ],
)
def test_what_is_wrong_is_named(air: str, old: str, new: str, words: str) -> None:
    assert old in air
    with pytest.raises(MappingError) as caught:
        read_mapping(air.replace(old, new).encode())
    assert words in str(caught.value)


def test_rows_are_either_measured_or_messages_already(air: str) -> None:
    message = '[message]\ntopic = "a"\npattern = "a"\ncodec = "native"\n'
    with pytest.raises(MappingError, match="either `values`"):
        read_mapping((air + message).encode())
