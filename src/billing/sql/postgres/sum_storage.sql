-- SPDX-License-Identifier: Apache-2.0
--
-- Bytes times seconds within the period, for everything stored before its end. Seconds as reals: a product of bytes
-- and microseconds would pass 64 bits.
SELECT
    job_type,
    sum(quantity * ((:until - greatest(at, :from)) / 1e6::double precision)) AS byte_seconds
FROM usage_record
WHERE tenant_id = :tenant_id AND meter = 'stored_bytes' AND at < :until
GROUP BY job_type
ORDER BY job_type
