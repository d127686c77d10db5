-- SPDX-License-Identifier: Apache-2.0
--
-- Units times seconds within the period, of the meters whose cost grows with time: everything begun before the
-- period's end and not ended before its beginning. Seconds as reals: a product of bytes and microseconds would pass 64
-- bits.
SELECT
    meter,
    job_type,
    rate_card,
    sum(quantity * ((least(:until::bigint, coalesce(ends_at, :until::bigint)) - greatest(at, :from::bigint)) / 1e6::double precision)) AS unit_seconds
FROM usage_record
WHERE tenant_id = :tenant_id
    AND (:key_id::text IS NULL OR key_id = :key_id)
    AND meter IN ('stored_bytes', 'deployments')
    AND at < :until
    AND (ends_at IS NULL OR ends_at > :from)
GROUP BY meter, job_type, rate_card
ORDER BY meter, job_type, rate_card
