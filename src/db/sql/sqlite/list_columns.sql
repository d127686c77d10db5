-- SPDX-License-Identifier: Apache-2.0
SELECT t.name AS table_name, c.name AS column_name, c.pk AS key_position, 0 AS is_identity
FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND t.name NOT LIKE 'nexa\_%' ESCAPE '\'
ORDER BY t.name, c.cid
