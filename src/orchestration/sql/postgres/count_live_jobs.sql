-- SPDX-License-Identifier: Apache-2.0
--
-- One row per state that still changes, each counted over its partial index: ended jobs, the many, are not read.
SELECT 'ready' AS state, count(*) AS jobs FROM job WHERE state = 'ready'
UNION ALL
SELECT 'scheduled', count(*) FROM job WHERE state = 'scheduled'
UNION ALL
SELECT 'leased', count(*) FROM job WHERE state = 'leased'
UNION ALL
SELECT 'activating', count(*) FROM job WHERE state = 'activating'
