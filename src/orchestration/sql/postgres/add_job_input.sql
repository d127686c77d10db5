-- SPDX-License-Identifier: Apache-2.0
INSERT INTO job_input (artifact_id, job_id, name) VALUES (:artifact_id, :job_id, :name)
