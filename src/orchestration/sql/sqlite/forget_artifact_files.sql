-- SPDX-License-Identifier: Apache-2.0
DELETE FROM artifact_file WHERE artifact_id = :artifact_id
