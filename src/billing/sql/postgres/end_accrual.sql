-- SPDX-License-Identifier: Apache-2.0
UPDATE usage_record SET ends_at = nexa_now()
WHERE job_id = :job_id AND meter = :meter AND ends_at IS NULL
