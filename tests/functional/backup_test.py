# SPDX-License-Identifier: Apache-2.0
"""A server is backed up while it works, and comes back from the backup with everything it had."""

import json
import os
import shutil
import subprocess

import pytest
from conftest import BUILD, Client, Nexad, wait_until


@pytest.fixture
def database_environment(request) -> dict[str, str]:
    if getattr(request, "param", "sqlite") == "sqlite":
        return {}
    postgres = request.getfixturevalue("postgres")
    return postgres.environment(postgres.make_database())


@pytest.fixture
def target_environment(database_environment, request) -> dict[str, str]:
    """An empty database of the same kind."""
    if not database_environment:
        return {}
    postgres = request.getfixturevalue("postgres")
    return postgres.environment(postgres.make_database())


def nexa(*arguments, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    argv = [BUILD / "bin/nexa", *map(str, arguments)]
    variables = {**os.environ, **(environment or {})}
    return subprocess.run(argv, env=variables, capture_output=True, text=True, timeout=120, check=False)


def lists_of(client: Client) -> list:
    routes = ["/api/jobs?limit=100", "/api/artifacts", "/api/projects"]
    return [client.get(route).json["data"] for route in routes]


@pytest.mark.parametrize("database_environment", ["sqlite", "postgres"], indirect=True)
def test_a_server_comes_back_from_a_backup_that_was_taken_while_it_worked(
    nexad, start_worker, tmp_path, database_environment, target_environment
):
    client = nexad.client()
    start_worker(nexad)
    content = b'{"text": "of the user"}\n' * 1000
    uploaded = client.upload(content)
    made = client.submit("echo", {"message": "x", "output_bytes": 50_000})
    client.wait_for(made, "completed")
    backup = tmp_path / "backup"
    first = nexa("--json", "backup", backup, "--dir", nexad.folder, environment=database_environment)
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["blobs"] == 2
    # The folder holds keys: nobody else may look.
    assert backup.stat().st_mode & 0o777 == 0o700

    # Again into the same folder, beside jobs that come and end: each accepted one is there whole or not at all.
    under_way = [client.submit("echo", {"message": f"{i}", "output_bytes": 10}) for i in range(10)]
    second = nexa("--json", "backup", backup, "--dir", nexad.folder, environment=database_environment)
    assert second.returncode == 0, second.stderr
    rows = {row["table"]: row["rows"] for row in json.loads(second.stdout)["tables"]}
    assert rows["job"] == 11
    for job_id in under_way:
        client.wait_for(job_id, "completed")
    before, key = lists_of(client), nexad.key
    summary = client.get("/api/billing/summary").json
    nexad.stop()
    third = nexa("backup", backup, "--dir", nexad.folder, environment=database_environment)
    assert third.returncode == 0 and third.stdout.startswith("backed up"), third.stderr

    restored = tmp_path / "restored"
    done = nexa("restore", backup, "--dir", restored, environment=target_environment)
    assert done.returncode == 0, done.stderr
    again = Nexad(restored, environment=target_environment).start()
    try:
        client = again.client(key)
        assert lists_of(client) == before
        assert client.get("/api/billing/summary").json["usage_by_type"] == summary["usage_by_type"]
        path = f"/api/artifacts/{uploaded['artifact_id']}/files/{uploaded['files'][0]['path']}"
        assert client.get(path).body == content
        start_worker(again, "of the restored")
        client.wait_for(client.submit("echo", {"message": "goes on"}), "completed")
    finally:
        again.stop()


def test_what_is_no_backup_and_what_is_not_empty_are_refused(nexad, tmp_path):
    nexad.client().upload()
    other = tmp_path / "documents"
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    refused = nexa("backup", other, "--dir", nexad.folder)
    assert refused.returncode != 0 and "no backup" in refused.stderr
    assert sorted(path.name for path in other.iterdir()) == ["thesis.txt"]
    assert "there is no database" in nexa("backup", tmp_path / "b", "--dir", tmp_path / "nothing").stderr
    assert not (tmp_path / "b").exists()
    assert "holds no backup" in nexa("restore", other, "--dir", tmp_path / "new").stderr

    backup = tmp_path / "backup"
    assert nexa("backup", backup, "--dir", nexad.folder).returncode == 0
    running = nexa("restore", backup, "--dir", nexad.folder)
    assert running.returncode != 0 and "another nexad uses" in running.stderr
    nexad.stop()
    full = nexa("restore", backup, "--dir", nexad.folder)
    assert full.returncode != 0 and "rows already" in full.stderr


def test_a_damaged_file_of_a_backup_is_found_and_named(nexad, tmp_path):
    nexad.client().upload(b'{"text": "whole"}\n')
    backup = tmp_path / "backup"
    assert nexa("backup", backup, "--dir", nexad.folder).returncode == 0
    (blob,) = [path for path in (backup / "blobs/sha256").rglob("*") if path.is_file()]
    blob.chmod(0o600)
    blob.write_bytes(b'{"text": "hole!"}\n')
    refused = nexa("restore", backup, "--dir", tmp_path / "restored")
    assert refused.returncode != 0 and blob.name in refused.stderr
    # Mended, the same command goes on.
    shutil.copy(next((nexad.folder / "blobs").rglob(blob.name)), blob)
    assert nexa("restore", backup, "--dir", tmp_path / "restored").returncode == 0


def test_a_backup_that_is_killed_leaves_the_older_one_good(nexad, tmp_path):
    client = nexad.client()
    for i in range(40):
        client.upload(os.urandom(200_000) + b"%d\n" % i)
    backup = tmp_path / "backup"
    assert nexa("backup", backup, "--dir", nexad.folder).returncode == 0
    client.upload(b"later\n")
    argv = [BUILD / "bin/nexad", "--dir", nexad.folder, "--backup", backup]
    fresh = backup / "db/nexa.db.new"
    for _ in range(5):
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: fresh.exists() or process.poll() is not None, 30, "the copy to begin")
        process.kill()
        process.wait()
    restored = tmp_path / "restored"
    assert nexa("restore", backup, "--dir", restored).returncode == 0
    server = Nexad(restored).start()
    try:
        assert len(server.client(nexad.key).get("/api/artifacts?limit=100").json["data"]) in (40, 41)
    finally:
        server.stop()
