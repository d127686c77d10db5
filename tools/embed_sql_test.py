# SPDX-License-Identifier: Apache-2.0
"""What embed_sql.py writes, that C++ reads it back unchanged, and what it refuses."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import embed_sql
import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def module(tmp_path: Path):
    folder = tmp_path / "src/ledger"

    def add(relative: str, text: str | bytes, twin: bool = True):
        """Writes a file, and the same text for the other dialect where none is said."""
        path = folder / relative
        twins = [path, folder / relative.replace("/sqlite/", "/postgres/")] if twin else [path]
        for each in twins:
            each.parent.mkdir(parents=True, exist_ok=True)
            each.write_bytes(text.encode() if isinstance(text, str) else text)

    def embed() -> tuple[str, str]:
        embed_sql.embed("ledger", folder, sorted(folder.rglob("*.sql")), tmp_path / "out")
        made = tmp_path / "out/ledger/ledger_sql.h"
        return made.read_text(), made.with_suffix(".cc").read_text()

    add.embed = embed
    add.out = tmp_path / "out"
    return add


def refusal(module) -> str:
    with pytest.raises(embed_sql.BadSql) as caught:
        module.embed()
    return str(caught.value)


def test_a_statement_becomes_a_constant_with_both_dialects(module):
    module("sql/sqlite/claim_ready.sql", "SELECT :n")
    module("sql/postgres/claim_ready.sql", "SELECT :n::bigint")
    header, _ = module.embed()
    assert "namespace nexa::ledger::sql {" in header
    assert "inline constexpr db::Sql kClaimReady{" in header
    assert '.name = "ledger/claim_ready"' in header
    assert 'R"nexa_sql(SELECT :n)nexa_sql"' in header
    assert 'R"nexa_sql(SELECT :n::bigint)nexa_sql"' in header
    assert "migrations" not in header


@pytest.mark.parametrize("folder", ["sql", "migrations"])
@pytest.mark.parametrize(("there", "absent"), [("sqlite", "postgres"), ("postgres", "sqlite")])
def test_a_file_without_its_twin_is_refused(module, folder, there, absent):
    module(f"{folder}/{there}/0001_claim.sql", "SELECT 1", twin=False)
    assert f"{folder}/{absent}/0001_claim.sql: is missing beside {there}/0001_claim.sql" in refusal(module)


def test_migrations_carry_number_name_and_checksum_in_order(module):
    module("migrations/sqlite/0002_more.sql", "CREATE TABLE b(x)")
    module("migrations/sqlite/0001_first.sql", "CREATE TABLE a(x);\nCREATE INDEX i ON a(x);\n")
    header, source = module.embed()
    assert "db::MigrationSet migrations();" in header
    assert source.index('.name = "first"') < source.index('.name = "more"')
    assert hashlib.sha256(b"CREATE TABLE b(x)").hexdigest() in source


@pytest.mark.parametrize(
    ("file", "text", "part"),
    [
        ("sql/sqlite/Claim.sql", "SELECT 1", "snake_case"),
        ("sql/sqlite/2claim.sql", "SELECT 1", "snake_case"),
        ("sql/mysql/claim.sql", "SELECT 1", "lies in neither"),
        ("sql/claim.sql", "SELECT 1", "lies in neither"),
        ("other/sqlite/claim.sql", "SELECT 1", "lies in neither"),
        ("sql/sqlite/claim.sql", "-- nothing here\n/* nor here */\n", "holds no statement"),
        ("sql/sqlite/claim.sql", "", "holds no statement"),
        ("sql/sqlite/claim.sql", b"SELECT '\xff'", "is not UTF-8"),
        ("sql/sqlite/claim.sql", "SELECT ')nexa_sql\"'", "end mark"),
        ("sql/sqlite/claim.sql", "SELECT '" + "x" * 65_000 + "'", "split it"),
        ("migrations/sqlite/first.sql", "SELECT 1", "must be like 0001_jobs.sql"),
        ("migrations/sqlite/0002_first.sql", "SELECT 1", "0001 must come here"),
        ("migrations/sqlite/0000_first.sql", "SELECT 1", "0001 must come here"),
    ],
)
def test_a_file_that_cannot_be_embedded_is_refused_by_name(module, file, text, part):
    module(file, text)
    message = refusal(module)
    assert part in message
    assert Path(file).stem in message


def test_line_ends_do_not_change_the_checksum(module):
    module("migrations/sqlite/0001_a.sql", "SELECT 1;\r\nSELECT 2;\r\n")
    assert hashlib.sha256(b"SELECT 1;\nSELECT 2;\n").hexdigest() in module.embed()[1]


def test_a_double_migration_number_is_refused(module):
    module("migrations/sqlite/0001_a.sql", "SELECT 1")
    module("migrations/sqlite/0001_b.sql", "SELECT 1")
    assert "0002 must come here" in refusal(module)


def test_dialects_that_take_other_parameters_are_refused(module):
    module("sql/sqlite/claim.sql", "SELECT :pool, :n")
    module("sql/postgres/claim.sql", "SELECT :pool")
    assert "takes other parameters than SQLite's: n" in refusal(module)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SELECT :a, :b_2, :a", {"a", "b_2"}),
        ("SELECT :a::bigint, 'x :no', \":no\" -- :no\n", {"a"}),
        ("SELECT /* :no\n :no */ 'it''s :no', :yes", {"yes"}),
    ],
)
def test_parameters_are_found_outside_literals_comments_and_casts(text, names):
    assert embed_sql.parameters(text) == names


def test_the_compiler_reads_back_the_very_bytes(module):
    compiler = os.environ.get("CXX") or shutil.which("clang++-19")
    if not compiler:
        pytest.skip("no clang++-19 here")
    statement = 'SELECT "a\\n" || \'ü"\', ?1 -- )" \\\n  FROM t\r\n\tWHERE x = :x;\n'
    script = "CREATE TABLE a(x);\n\n-- two\nCREATE TABLE b(y TEXT DEFAULT '\\0');\n"
    module("sql/sqlite/odd.sql", statement)
    module("migrations/sqlite/0001_first.sql", script)
    module.embed()
    main = module.out / "main.cc"
    main.write_text(
        '#include <cstdio>\n#include "ledger/ledger_sql.h"\n'
        "static void put(std::string_view s) { std::fwrite(s.data(), 1, s.size(), stdout); }\n"
        "int main() { put(nexa::ledger::sql::kOdd.sqlite); put(\"|\");\n"
        "  const auto set = nexa::ledger::sql::migrations();\n"
        "  for (const auto& m : set.migrations) { put(m.sqlite.text); put(\"|\"); put(m.sqlite.sha256); } }\n"
    )
    flags = ["-std=c++23", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-iquote", ROOT / "src", "-iquote", module.out]
    program = module.out / "main"
    subprocess.run([compiler, *flags, main, module.out / "ledger/ledger_sql.cc", "-o", program], check=True)
    printed = subprocess.run([program], check=True, capture_output=True).stdout
    statement = statement.replace("\r\n", "\n")
    assert printed.decode() == f"{statement}|{script}|{hashlib.sha256(script.encode()).hexdigest()}"
