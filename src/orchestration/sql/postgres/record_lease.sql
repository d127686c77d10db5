-- SPDX-License-Identifier: Apache-2.0
INSERT INTO lease (job_id, fence, worker_id, granted_at)
VALUES (:job_id, :fence, :worker_id, nexa_now())
