-- SPDX-License-Identifier: Apache-2.0
SELECT DISTINCT t.relname::text AS table_name, other.relname::text AS refers_to
FROM pg_constraint AS r
JOIN pg_class AS t ON t.oid = r.conrelid
JOIN pg_class AS other ON other.oid = r.confrelid
WHERE r.contype = 'f' AND r.conrelid <> r.confrelid AND t.relnamespace = current_schema()::regnamespace
