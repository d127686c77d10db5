# SPDX-License-Identifier: Apache-2.0
"""Each rule of tidy.py, broken once."""

from pathlib import Path

import pytest
import tidy

GRAPH = """
nexa_allow(core)
nexa_allow(db)
nexa_allow(net)
nexa_allow(fakes db)
nexa_allow(data)
nexa_allow(engine/training data)
nexa_allow(api net data)
nexa_allow_app(nexad api)
"""


SPDX = "// SPDX-License-Identifier: Apache-2.0\n"


@pytest.fixture
def tree(tmp_path: Path):
    (tmp_path / "cmake").mkdir()
    (tmp_path / "cmake/module_graph.cmake").write_text(GRAPH)

    def add(relative: str, text: str, listed: bool = True):
        path = tmp_path / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if text.startswith("// SPDX") else SPDX + text)
        if listed:
            with (path.parent / "CMakeLists.txt").open("a") as listing:
                listing.write(f"{path.name}\n")

    add.root = tmp_path
    return add


def rules(tree) -> set[str]:
    return {v.rule for v in tidy.violations(tree.root)}


def test_a_clean_tree_has_no_violation(tree):
    tree("src/data/pack.h", "#pragma once\n")
    tree("src/data/pack.cc", '#include "data/pack.h"\n#include "core/result.h"\n')
    tree("src/api/server.cc", '#include <boost/asio.hpp>\n#include "data/pack.h"\n')
    tree("src/engine/training/t.cc", '#include <torch/torch.h>\n#include "data/pack.h"\n')
    tree("apps/nexad/main.cc", '#include "api/server.h"\n')
    assert tidy.violations(tree.root) == []


@pytest.mark.rows("A-12")
@pytest.mark.parametrize(
    ("file", "line", "rule"),
    [
        ("src/data/a.cc", '#include "api/server.h"', "module-edge"),
        ("src/core/a.cc", '#include "data/pack.h"', "module-edge"),
        ("src/data/a.cc", '#include "nowhere/pack.h"', "module-edge"),
        ("src/data/a.cc", '#include "fakes/clock.h"', "module-edge"),
        ("apps/nexad/main.cc", '#include "db/tx.h"', "module-edge"),
        ("src/api/a.cc", '#include "data/pack_internal.h"', "internal-header"),
        ("src/data/a.cc", "#include <torch/torch.h>", "third-party"),
        ("src/data/a.cc", "#include <arrow/api.h>", "third-party"),
        ("src/api/a.cc", "#include <sqlite3.h>", "third-party"),
        ("src/api/a.cc", "#include <libpq-fe.h>", "third-party"),
        ("src/data/a.cc", "#include <boost/asio.hpp>", "third-party"),
        ("src/api/a.h", "#include <nlohmann/json.hpp>", "third-party"),
        ("src/unknown/a.cc", "", "module"),
    ],
)
def test_a_forbidden_include_is_found(tree, file, line, rule):
    tree(file, line + "\n")
    assert rules(tree) == {rule}


def test_tests_may_use_fakes(tree):
    tree("src/data/a_test.cc", '#include "fakes/clock.h"\n')
    assert tidy.violations(tree.root) == []


def test_generated_sql_belongs_to_its_module(tree):
    tree("src/db/a.cc", '#include "db/db_sql.h"\n')
    assert tidy.violations(tree.root) == []
    tree("src/data/a.cc", '#include "db/db_sql.h"\n')
    assert rules(tree) == {"module-edge"}


def test_the_own_header_comes_first(tree):
    tree("src/data/pack.h", "#pragma once\n")
    tree("src/data/pack.cc", '#include <vector>\n#include "data/pack.h"\n')
    assert rules(tree) == {"own-header-first"}


def test_a_source_in_no_target_is_found(tree):
    tree("src/data/CMakeLists.txt", "", listed=False)
    tree("src/data/dead.cc", "", listed=False)
    assert rules(tree) == {"unlisted"}


def test_violations_name_file_line_and_both_modules(tree):
    tree("src/data/a.cc", '\n#include "api/server.h"\n')
    assert str(tidy.violations(tree.root)[0]) == (
        "src/data/a.cc:3: module-edge: module 'data' may not depend on 'api' (\"api/server.h\")"
    )


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("src/data/a.cc", 'throw std::runtime_error("x");'),
        ("src/data/a.cc", "std::regex pattern;"),
        ("src/api/a.cc", "co_spawn(io, task(), asio::detached);"),
        ("src/data/a.cc", "auto home = std::getenv(name);"),
        ("src/data/a.cc", "auto now = std::chrono::system_clock::now();"),
    ],
)
def test_what_is_banned_is_found_in_code_and_not_in_words(tree, file, line):
    tree(file, f'// {line}\nconst char* text = "throw up";\n')
    assert rules(tree) == set()
    tree(file, line + "\n", listed=False)
    assert rules(tree) == {"banned"}


def test_apps_may_read_the_environment(tree):
    tree("apps/nexad/main.cc", "auto home = std::getenv(name);\n")
    assert rules(tree) == set()


@pytest.mark.parametrize(("file", "most"), [("src/data/a.h", 300), ("src/data/a.cc", 600), ("src/data/a_test.cc", 800)])
def test_a_file_may_be_so_long_and_no_longer(tree, file, most):
    tree(file, "\n" * (most - 1))
    assert rules(tree) == set()
    tree(file, "\n" * most, listed=False)
    assert rules(tree) == {"size"}


def test_a_file_without_licence_is_found(tree):
    tree("src/data/a.cc", "")
    (tree.root / "src/data/a.cc").write_text("int x;\n")
    assert rules(tree) == {"spdx"}
