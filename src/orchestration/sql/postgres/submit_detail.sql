-- SPDX-License-Identifier: Apache-2.0
INSERT INTO job_detail (job_id, user_id, key_id, payload, inputs, name, retry_of, trace_id)
VALUES (:job_id, :user_id, :key_id, :payload, :inputs, :name, :retry_of, :trace_id)
