-- SPDX-License-Identifier: Apache-2.0
UPDATE lease SET ended_at = nexa_now(), outcome = :outcome
WHERE job_id = :job_id AND fence = :fence AND ended_at IS NULL
