# SPDX-License-Identifier: Apache-2.0
"""Settings: which layer wins, who says so, and the reference page."""

import json
import os
import subprocess
import sys

import pytest
from conftest import BUILD, ROOT


def config_list(folder, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [BUILD / "bin/nexa", "config", "list", *arguments],
        cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=30, check=False,
    )


@pytest.mark.rows("A-64")
def test_the_layer_that_wins_is_named(tmp_path):
    (tmp_path / "nexa.yaml").write_text("lease_seconds: 30\nlog_level: debug\nport: 7000\n")
    ended = config_list(tmp_path, "--show-origin", "--set", "port=7002", NEXA_PORT="7001", NEXA_LOG_LEVEL="error")
    assert ended.returncode == 0, ended.stderr
    rows = {name: (value, origin) for name, value, origin in (line.split("\t") for line in ended.stdout.splitlines())}
    assert rows["port"] == ("7002", "--set")
    assert rows["log_level"] == ("error", "env NEXA_LOG_LEVEL")
    assert rows["lease_seconds"][0] == "30" and rows["lease_seconds"][1].endswith("nexa.yaml:1")
    assert rows["address"] == ("127.0.0.1", "default")


def test_settings_are_listed_for_programs_too(tmp_path):
    ended = config_list(tmp_path, "--json")
    names = [setting["name"] for setting in json.loads(ended.stdout)]
    assert "dir" in names and len(names) == len(set(names))


@pytest.mark.rows("A-63")
def test_an_unknown_key_is_refused_with_file_line_and_near_name(tmp_path):
    (tmp_path / "nexa.yaml").write_text("log_level: info\nlease_secnds: 30\n")
    ended = config_list(tmp_path)
    assert ended.returncode == 2
    assert "nexa.yaml:2" in ended.stderr and "lease_seconds" in ended.stderr


def test_the_reference_page_is_current():
    checked = subprocess.run([sys.executable, ROOT / "tools/settings_page.py", "--check", "--build", BUILD], check=False)
    assert checked.returncode == 0, "run: tools/settings_page.py"
