-- SPDX-License-Identifier: Apache-2.0
SELECT DISTINCT t.name AS table_name, r."table" AS refers_to
FROM sqlite_schema AS t, pragma_foreign_key_list(t.name) AS r
WHERE t.type = 'table' AND r."table" <> t.name
