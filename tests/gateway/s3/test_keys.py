"""The keys that objects are encrypted under."""

import base64
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.s3.faults import S3Fault
from gateway.s3.sealing.keys import DEFAULT, Keys

SOUND = base64.b64encode(bytes(32)).decode()


def add(folder: Path, key_id: str, **entry: object) -> bytes:
    """What an operator does with an editor."""
    file = folder / "named.json"
    document = json.loads(file.read_text()) if file.exists() else {"keys": {}}
    secret = os.urandom(32)
    document["keys"][key_id] = {"key": base64.b64encode(secret).decode(), **entry}
    folder.mkdir(exist_ok=True)
    file.write_text(json.dumps(document))
    return secret


def code(keys: Keys, name: str, account: str = "a") -> str:
    """How a key is refused."""
    with pytest.raises(S3Fault) as caught:
        keys.find(name, account)
    return caught.value.code


def test_the_master_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "keys"
    master = Keys(folder).master()
    assert len(master.secret) == 32
    assert Keys(folder).master() == master
    assert (folder / "master").read_bytes() == master.secret
    assert stat.S_IMODE((folder / "master").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    assert code(keys, "alias/payroll") == "KMS.NotFoundException"
    assert not (tmp_path / "keys").exists()


def test_processes_that_start_at_once_agree_on_the_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        several = [Keys(tmp_path / "keys") for _ in range(8)]
        assert len(set(pool.map(Keys.master, several))) == 1
        assert len({each.id for each in pool.map(lambda k: k.find(DEFAULT, "a"), several)}) == 1


def test_every_account_has_a_default_key_of_its_own(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    mine, other = keys.find(DEFAULT, "a"), keys.find(DEFAULT, "b")
    assert mine.ring != other.ring
    assert keys.find(DEFAULT, "a") == mine == Keys(tmp_path).find(mine.id, "a")
    assert stat.S_IMODE((tmp_path / "named.json").stat().st_mode) == 0o600


def test_a_key_is_found_by_id_alias_and_arn(tmp_path: Path) -> None:
    secret = add(tmp_path, "k1", aliases=["alias/payroll"])
    keys = Keys(tmp_path)
    arn = "arn:aws:kms:us-east-1:111122223333"
    for name in ("k1", "alias/payroll", f"{arn}:key/k1", f"{arn}:alias/payroll"):
        assert keys.find(name, "a").ring.secret == secret
    for name in ("payroll", "key/k1", f"{arn}:k1", "", "arn:aws:s3:::k1"):
        assert code(keys, name) == "KMS.NotFoundException"


def test_a_key_added_to_the_file_is_seen_at_once(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    keys.find(DEFAULT, "a")
    assert code(keys, "k1") == "KMS.NotFoundException"
    assert add(tmp_path, "k1") == keys.find("k1", "a").ring.secret


def test_a_key_of_one_account_is_not_there_for_another(tmp_path: Path) -> None:
    add(tmp_path, "k1", account="a")
    keys = Keys(tmp_path)
    assert keys.find("k1", "a").id == "k1"
    assert code(keys, "k1", "b") == "KMS.NotFoundException"


def test_an_accounts_own_key_goes_before_one_of_all(tmp_path: Path) -> None:
    add(tmp_path, "of-all", aliases=["alias/x"])
    add(tmp_path, "own", aliases=["alias/x"], account="a")
    keys = Keys(tmp_path)
    assert (keys.find("alias/x", "a").id, keys.find("alias/x", "b").id) == ("own", "of-all")


def test_a_disabled_key_is_refused_by_name(tmp_path: Path) -> None:
    add(tmp_path, "k1", enabled=False)
    assert code(Keys(tmp_path), "k1") == "KMS.DisabledException"
    with pytest.raises(S3Fault, match="disabled"):
        Keys(tmp_path).known("k1")


def test_a_key_of_the_wrong_length_is_not_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "master").write_bytes(b"short")
    with pytest.raises(S3Fault) as caught:
        Keys(tmp_path).master()
    assert caught.value.code == "ServiceUnavailable"
    assert f"{tmp_path / 'master'} cannot be used: a key must have 32 bytes" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "{}", '{"keys": []}', "\0", "[" * 100_000),
        *('{"keys": {"k1": null}}', '{"keys": {"k1": {}}}', '{"keys": {"k1": {"key": 5}}}'),
        *(
            json.dumps({"keys": {"k1": {"key": SOUND, **wrong}}})
            for wrong in (
                *({"enabled": "false"}, {"account": 5}, {"aliases": "alias/x"}, {"aliases": [1]}),
                *({"former": SOUND}, {"former": [1]}, {"former": ["AAAA"]}, {"key": "é"}),
            )
        ),
    ],
)
def test_a_file_with_nonsense_makes_keys_unavailable_and_is_named_in_the_log_and_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    (tmp_path / "named.json").write_text(text)
    keys = Keys(tmp_path)
    assert code(keys, "k1") == code(keys, DEFAULT) == "ServiceUnavailable"
    assert f"{tmp_path / 'named.json'} cannot be used: " in caplog.text
    assert SOUND not in caplog.text
    assert (tmp_path / "named.json").read_text() == text


def test_a_key_does_not_show_when_printed(tmp_path: Path) -> None:
    key = Keys(tmp_path).find(DEFAULT, "a")
    for shown in (repr(key), repr(key.ring)):
        assert repr(key.ring.secret) not in shown
        assert "secret" not in shown
