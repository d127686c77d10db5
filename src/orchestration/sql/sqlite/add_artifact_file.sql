-- SPDX-License-Identifier: Apache-2.0
INSERT INTO artifact_file (artifact_id, digest) VALUES (:artifact_id, :digest) ON CONFLICT DO NOTHING
