# SPDX-License-Identifier: Apache-2.0
"""The table of cmake/module_graph.cmake refuses what the architecture forbids: configure fails and names both modules."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def configure(tmp_path: Path, text: str) -> subprocess.CompletedProcess:
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(scratch NONE)\n"
        f"include({ROOT}/cmake/nexa_module.cmake)\n{text}\n"
    )
    return subprocess.run(
        ["cmake", "-S", tmp_path, "-B", tmp_path / "build"], capture_output=True, text=True, timeout=60, check=False
    )


def refused(result: subprocess.CompletedProcess, *names: str) -> bool:
    # CMake wraps its messages, so compare word by word.
    message = " ".join(result.stderr.split())
    return result.returncode != 0 and "may not depend on" in message and all(f"'{name}'" in message for name in names)


@pytest.mark.parametrize(
    ("module", "dependency"),
    [
        pytest.param("core", "data", marks=pytest.mark.rows("A-03")),
        pytest.param("config", "data", marks=pytest.mark.rows("A-04")),
        pytest.param("data", "models", marks=pytest.mark.rows("A-05")),
        pytest.param("data", "orchestration", marks=pytest.mark.rows("A-05")),
        pytest.param("models", "engine/training", marks=pytest.mark.rows("A-06")),
        pytest.param("engine/training", "evaluation", marks=pytest.mark.rows("A-07")),
        pytest.param("evaluation", "engine/training", marks=pytest.mark.rows("A-08")),
        pytest.param("engine/training", "orchestration", marks=pytest.mark.rows("A-09")),
        pytest.param("core", "monitoring", marks=pytest.mark.rows("A-10")),
        pytest.param("orchestration", "monitoring", marks=pytest.mark.rows("A-10")),
        pytest.param("orchestration", "api", marks=pytest.mark.rows("A-11")),
        ("worker", "db"),
        ("net", "fakes"),
    ],
)
def test_an_edge_outside_the_table_is_refused(tmp_path, module, dependency):
    assert refused(configure(tmp_path, f"nexa_module({module} DEPS {dependency})"), module, dependency)


@pytest.mark.rows("A-02")
def test_a_row_that_closes_a_cycle_is_refused(tmp_path):
    result = configure(tmp_path, "nexa_allow(one two)\nnexa_allow(two one)")
    assert refused(result, "one", "two")


def test_a_program_may_only_join_the_modules_of_its_row(tmp_path):
    assert refused(configure(tmp_path, "nexa_app(nexad DEPS engine/training)"), "nexad", "engine/training")


@pytest.mark.parametrize("call", ["nexa_module(no_such_module)", "nexa_module(core SOURCE a.cc)", "nexa_app(nexad X)"])
def test_typing_errors_are_fatal(tmp_path, call):
    assert configure(tmp_path, call).returncode != 0
