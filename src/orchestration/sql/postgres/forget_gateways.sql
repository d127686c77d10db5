-- SPDX-License-Identifier: Apache-2.0
DELETE FROM gateway WHERE last_seen_at <= nexa_now() - :age_us
