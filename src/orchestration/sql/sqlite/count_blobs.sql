-- SPDX-License-Identifier: Apache-2.0
SELECT count(*) AS blobs,
       coalesce(sum(b.bytes), 0) AS bytes,
       coalesce(sum(b.is_unused), 0) AS unused_blobs,
       coalesce(sum(b.is_unused * b.bytes), 0) AS unused_bytes,
       coalesce(sum(b.is_unused * (b.seen_at < :unseen_since)), 0) AS collectable_blobs,
       coalesce(sum(b.is_unused * (b.seen_at < :unseen_since) * b.bytes), 0) AS collectable_bytes
FROM (
    SELECT bytes, seen_at, NOT EXISTS (SELECT 1 FROM artifact_file AS f WHERE f.digest = blob.digest) AS is_unused
    FROM blob
) AS b
