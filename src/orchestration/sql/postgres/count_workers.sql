-- SPDX-License-Identifier: Apache-2.0
WITH kind (membership) AS (VALUES ('pending'), ('approved'), ('cordoned'), ('revoked'))
SELECT kind.membership, (SELECT count(*) FROM worker WHERE worker.membership = kind.membership) AS workers FROM kind
