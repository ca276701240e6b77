"""Settings are read once from the environment, into the groups that parts take whole."""

from pathlib import Path

import pytest

from memferry.errors import Misconfigured
from memferry.settings import Settings


def test_all_faults_are_reported_together_each_once() -> None:
    environment = {
        "MEMFERRY_POOL_SIZE": "0",
        "MEMFERRY_WORKER_NICE": "20",
        "MEMFERRY_PURGE_EXPORTS": "maybe",
        "MEMFERRY_DATA_DIR_FILE": "/nowhere/data-dir",
    }
    with pytest.raises(Misconfigured) as refusal:
        Settings.from_environment(environment)

    lines = str(refusal.value).splitlines()
    assert "MEMFERRY_POOL_SIZE: expected a whole number above 0" in lines
    assert "MEMFERRY_WORKER_NICE: expected a whole number from 0 to 19" in lines
    assert "MEMFERRY_PURGE_EXPORTS: expected true or false" in lines
    assert len([line for line in lines if line.startswith("MEMFERRY_DATA_DIR:")]) == 1
    assert len(lines) == len(environment)


@pytest.mark.parametrize("number", ["1_0", "+5", "5.0", "1e3", "٣", " 7", ""])
def test_a_number_is_written_in_plain_digits(number: str) -> None:
    environment = {"MEMFERRY_POOL_SIZE": number}
    if number == "":
        assert Settings.from_environment(environment) == Settings.from_environment({})
    else:
        with pytest.raises(Misconfigured, match="MEMFERRY_POOL_SIZE"):
            Settings.from_environment(environment)


def test_the_store_and_the_database_share_the_data_directory(tmp_path: Path) -> None:
    settings = Settings.from_environment({"MEMFERRY_DATA_DIR": str(tmp_path)})

    assert settings.database.data_dir == tmp_path
    assert settings.storage.address == (tmp_path / "exports").as_uri()


@pytest.mark.parametrize("name", ["MEMFERRY_DATA_DIR", "MEMFERRY_DATA_DIR_FILE"])
def test_a_data_directory_of_the_command_line_wins(name: str, tmp_path: Path) -> None:
    settings = Settings.from_environment({name: "/nowhere"}, data_dir=tmp_path)

    assert settings.data_dir == settings.storage.data_dir == tmp_path


def test_a_child_gets_the_data_directory_however_this_process_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "data-dir"
    file.write_text(str(tmp_path))
    monkeypatch.delenv("MEMFERRY_DATA_DIR", raising=False)
    monkeypatch.setenv("MEMFERRY_DATA_DIR_FILE", str(file))
    environment = Settings.from_environment().child_environment()

    assert Settings.from_environment(environment).data_dir == tmp_path
