"""Settings: where a value comes from, and what is refused."""

from pathlib import Path

import pytest

from madina.errors import SetupError
from madina.settings import load_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_value_has_a_default(folder: Path) -> None:
    loaded = load_settings()
    assert loaded.settings.http_port == 8080
    assert set(loaded.origins.values()) == {"default"}


def test_the_environment_wins_over_the_file_and_each_value_knows_its_origin(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "madina-data").mkdir()
    (folder / "madina-data" / "madina.toml").write_text('http_port = 81\ncity = "Graz"\n')
    monkeypatch.setenv("MADINA_HTTP_PORT", "82")
    loaded = load_settings()
    assert (loaded.settings.http_port, loaded.settings.city) == (82, "Graz")
    assert loaded.origins["http_port"] == "MADINA_HTTP_PORT"
    assert loaded.origins["city"] == "madina-data/madina.toml"


def test_the_data_folder_of_the_command_line_wins(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADINA_DATA_DIR", "elsewhere")
    loaded = load_settings(folder / "here")
    assert loaded.settings.data_dir == folder / "here"
    assert loaded.origins["data_dir"] == "--data-dir"


def test_sizes_are_read_with_their_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADINA_LOG_MAX_BYTES", "2 GiB")
    assert load_settings().settings.log_max_bytes == 2 << 30


def test_a_misspelt_variable_is_refused_and_the_nearest_name_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MADINA_HTP_PORT", "1")
    with pytest.raises(SetupError, match=r"MADINA_HTP_PORT is no setting.*MADINA_HTTP_PORT\?"):
        load_settings()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("htp_port = 1", "has no use for 'htp_port': did you mean http_port?"),
        ('data_dir = "x"', "has no use for 'data_dir'"),
        ("http_port = ", "madina.toml cannot be read"),
        ('http_port = "x"', "http_port = 'x' in .*madina.toml cannot be used"),
        ("gateways = 0", "gateways = 0 in .*madina.toml cannot be used"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_cause(
    folder: Path, text: str, words: str
) -> None:
    (folder / "madina.toml").write_text(text)
    with pytest.raises(SetupError, match=words):
        load_settings(folder)


def test_a_value_out_of_range_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADINA_MQTT_PORT", "70000")
    with pytest.raises(SetupError, match="mqtt_port = '70000' in MADINA_MQTT_PORT cannot be used"):
        load_settings()


def test_a_zone_that_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADINA_TIMEZONE", "Mars/Olympus")
    with pytest.raises(SetupError, match="'Mars/Olympus' is no time zone"):
        load_settings()


def test_a_secret_that_cannot_be_used_is_not_repeated(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "madina.toml").write_text('nats_url = ["nats://user:hush@host"]\n')
    with pytest.raises(SetupError) as refused:
        load_settings(folder)
    assert "hush" not in str(refused.value)
