-- SPDX-License-Identifier: Apache-2.0
--
-- The worker's signed result, as evidence beside the attempt it ended.
UPDATE lease SET envelope = :envelope WHERE job_id = :job_id AND fence = :fence
