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
    tree(file, ("#pragma once\n" if file.endswith(".h") else "") + line + "\n")
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
        ("src/data/a.cc", "std::mt19937 random(7);"),
        ("src/data/a.cc", "int number = rand();"),
        ("src/data/a.cc", "std::this_thread::sleep_for(1s);"),
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
    start = "#pragma once\n" if file.endswith(".h") else "\n"
    tree(file, start + "\n" * (most - 2))
    assert rules(tree) == set()
    tree(file, start + "\n" * (most - 1), listed=False)
    assert rules(tree) == {"size"}


def test_a_file_without_licence_is_found(tree):
    tree("src/data/a.cc", "")
    (tree.root / "src/data/a.cc").write_text("int x;\n")
    assert rules(tree) == {"spdx"}


@pytest.mark.parametrize("file", ["src/data/utils.cc", "src/data/string_helpers.cc", "src/data/common/a.cc", "src/data/job_manager.cc"])
def test_a_name_that_says_nothing_is_found(tree, file):
    tree(file, "")
    assert rules(tree) == {"name"}


def test_a_name_that_only_holds_such_a_word_is_none(tree):
    tree("src/data/utility.cc", "")
    tree("src/data/uncommon.cc", "")
    assert rules(tree) == set()


def test_a_header_is_included_once(tree):
    tree("src/data/a.h", "struct A {};\n")
    assert rules(tree) == {"pragma-once"}


def test_the_try_macros_stay_out_of_headers(tree):
    tree("src/data/a.h", "#pragma once\n    TRY_STATUS(step());\n")
    assert rules(tree) == {"macro"}
    tree("src/data/a.h", "#pragma once\n// TRY_STATUS(step());\n", listed=False)
    tree("src/data/a.cc", "    TRY_STATUS(step());\n")
    assert rules(tree) == set()


@pytest.mark.parametrize("line", ["// TODO later", "int a;  // FIXME: now", "// XXX"])
def test_what_is_not_done_is_found(tree, line):
    tree("src/data/a.cc", line + "\n")
    assert rules(tree) == {"undone"}


def test_a_pattern_of_a_temporary_name_is_not_undone(tree):
    tree("src/data/a.cc", "// makes parent/XXXXXX\n")
    assert rules(tree) == set()


@pytest.mark.parametrize("line", ["int a;  // NOLINT", "// NOLINTNEXTLINE: no check", "int a;  // NOLINT(bugprone-x)", "// NOLINTBEGIN(a-b)"])
def test_an_exception_from_a_check_names_it_and_the_reason(tree, line):
    tree("src/data/a.cc", line + "\n")
    assert rules(tree) == {"nolint"}
    tree("src/data/a.cc", "int a;  // NOLINT(bugprone-x): SQLite's own\n// NOLINTEND(a-b)\n", listed=False)
    assert rules(tree) == set()
