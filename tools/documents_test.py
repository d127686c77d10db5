# SPDX-License-Identifier: Apache-2.0
"""The documents say what the tree says."""

import json
import re
from pathlib import Path

import codemap
import pytest
import sdk_models
import tidy

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.rows("A-89")
def test_the_generated_parts_of_the_architecture_are_current():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert codemap.rendered(text) == text, "run tools/codemap.py"


@pytest.mark.rows("A-90")
def test_the_architecture_has_the_five_reading_steps_and_its_links_resolve():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    steps = re.search(r"## Reading order\n(.*?)\n## ", text, re.DOTALL)[1]
    assert [line[:2] for line in steps.splitlines() if re.match(r"\d\. ", line)] == ["1.", "2.", "3.", "4.", "5."]
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert links and all((ROOT / link).exists() for link in links)


def test_the_python_client_is_of_this_version_and_its_types_are_current():
    assert sdk_models.PAGE.read_text() == sdk_models.rendered(json.loads(sdk_models.SCHEMAS.read_text())), "run tools/sdk_models.py"
    version = re.search(r"project\(nexa_forge VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert f'version = "{version}"' in (ROOT / "sdk/python/pyproject.toml").read_text()


def test_the_architecture_stays_short():
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 200


def test_every_module_with_code_has_a_readme():
    modules = tidy.read_graph(ROOT).modules
    without = [m for m in modules if (ROOT / "src" / m / "CMakeLists.txt").exists() and not (ROOT / "src" / m / "README.md").exists()]
    assert without == []


@pytest.mark.rows("A-01")
@pytest.mark.parametrize(
    "module",
    ["core", "config", "data", "models", "engine/training", "evaluation", "orchestration", "monitoring", "api"],
)
def test_the_nine_modules_say_what_they_are_for_and_what_they_must_not_know(module):
    folder = ROOT / "src" / module
    assert list(folder.glob("*.cc")) and list(folder.glob("*.h"))
    text = (folder / "README.md").read_text()
    title, purpose = re.match(r"# (.+)\n\n(.+)\n", text).groups()
    assert title == module
    assert len(purpose.split()) >= 5
    assert re.search(r"^Must not know: .+", text, re.MULTILINE)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE"])
def test_the_repository_says_what_people_look_for(name):
    assert (ROOT / name).stat().st_size > 200


@pytest.mark.rows("A-73")
def test_torch_and_arrow_are_included_under_engine_only():
    for file in (ROOT / "src").rglob("*"):
        if file.suffix in {".h", ".cc"} and "engine" not in file.relative_to(ROOT / "src").parts:
            assert not re.search(r"#\s*include\s+<(torch|ATen|c10|arrow|parquet)/", file.read_text()), file


@pytest.mark.rows("A-75")
def test_shell_scripts_are_glue():
    for name in ("dev", ".ci/run"):
        lines = (ROOT / name).read_text().splitlines()
        assert len(lines) <= 100, name
        assert max(len(line) - len(line.lstrip(" ")) for line in lines if line.strip()) <= 8, f"{name} nests too deep"
