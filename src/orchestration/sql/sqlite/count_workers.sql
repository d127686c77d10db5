-- SPDX-License-Identifier: Apache-2.0
WITH kind (name) AS (VALUES ('pending'), ('approved'), ('cordoned'), ('revoked'))
SELECT name AS membership, (SELECT count(*) FROM worker WHERE membership = name) AS workers FROM kind
