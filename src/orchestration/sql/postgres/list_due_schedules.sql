-- SPDX-License-Identifier: Apache-2.0
SELECT id FROM schedule WHERE next_at <= nexa_now() ORDER BY next_at, id LIMIT :limit
