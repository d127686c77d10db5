-- SPDX-License-Identifier: Apache-2.0
--
-- Bytes times seconds within the period, for everything stored before its end and not deleted before its beginning. Seconds as reals: a product of bytes
-- and microseconds would pass 64 bits.
SELECT
    job_type,
    sum(quantity * ((min(:until, coalesce(ends_at, :until)) - max(at, :from)) / 1e6)) AS byte_seconds
FROM usage_record
WHERE tenant_id = :tenant_id AND meter = 'stored_bytes' AND at < :until AND (ends_at IS NULL OR ends_at > :from)
GROUP BY job_type
ORDER BY job_type
