-- SPDX-License-Identifier: Apache-2.0
UPDATE job_detail SET
    result = coalesce(:result, result),
    error = :error,
    finished_at = CASE WHEN :finished::boolean THEN nexa_now() ELSE finished_at END
WHERE job_id = :job_id
