-- SPDX-License-Identifier: Apache-2.0
--
-- Gateways of a region that were heard of lately.
SELECT count(*) AS gateways FROM gateway WHERE region = :region AND last_seen_at > nexa_now() - :age_us
