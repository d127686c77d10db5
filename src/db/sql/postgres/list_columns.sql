-- SPDX-License-Identifier: Apache-2.0
SELECT t.relname::text AS table_name,
       c.attname::text AS column_name,
       coalesce(array_position(k.conkey, c.attnum), 0)::bigint AS key_position,
       c.attidentity <> '' AS is_identity
FROM pg_class AS t
JOIN pg_attribute AS c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
LEFT JOIN pg_constraint AS k ON k.conrelid = t.oid AND k.contype = 'p'
WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace AND t.relname NOT LIKE 'nexa\_%'
ORDER BY t.relname, c.attnum
