-- SPDX-License-Identifier: Apache-2.0
UPDATE deployment SET state = 'ready', inference_url = :inference_url, updated_at = nexa_now()
WHERE job_id = :job_id AND state = 'loading'
