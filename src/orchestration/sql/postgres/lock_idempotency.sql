-- SPDX-License-Identifier: Apache-2.0
--
-- Before a key is looked up that may be new. Of two coordinators that get the same request the second waits here until
-- the first has committed; its next statement then sees the key.
SELECT pg_advisory_xact_lock(hashtextextended(:tenant_id::text || '/' || :key::text, 0)) AS locked
