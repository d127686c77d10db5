-- SPDX-License-Identifier: Apache-2.0
--
-- Usage is an exponentially decayed count of leases with a half-life of one day.
UPDATE tenant SET
    usage = usage * power(0.5, (nexa_now() - usage_at) / 86400e6::double precision) + :leases::bigint,
    usage_at = nexa_now()
WHERE id = :tenant_id
