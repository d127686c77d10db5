-- SPDX-License-Identifier: Apache-2.0
SELECT count(*) AS count FROM artifact WHERE job_id = :job_id AND deleted_at IS NULL
