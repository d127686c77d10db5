-- SPDX-License-Identifier: Apache-2.0
--
-- Which artifacts a job read: what deletions are checked against, and with artifact.job_id where anything came from.
-- A deleted artifact keeps its row and manifest, so that what was made from it still tells.

CREATE TABLE job_input (
    artifact_id text COLLATE "C" NOT NULL,
    job_id text COLLATE "C" NOT NULL REFERENCES job (id),
    name text COLLATE "C" NOT NULL,          -- dataset, model, teacher, …
    PRIMARY KEY (artifact_id, job_id, name)
);

CREATE INDEX job_input_of_job ON job_input (job_id);

INSERT INTO job_input (artifact_id, job_id, name)
SELECT DISTINCT i ->> 'artifact_id', d.job_id, i ->> 'name'
FROM job_detail AS d
CROSS JOIN LATERAL json_array_elements(d.inputs::json) AS i;

ALTER TABLE artifact ADD COLUMN deleted_at bigint;
