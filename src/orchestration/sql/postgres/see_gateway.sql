-- SPDX-License-Identifier: Apache-2.0
INSERT INTO gateway (id, region, url, serial, last_seen_at)
VALUES (:gateway_id, :region, :url, :serial, nexa_now())
ON CONFLICT (id) DO UPDATE SET
    region = excluded.region,
    url = excluded.url,
    serial = excluded.serial,
    last_seen_at = excluded.last_seen_at
