-- SPDX-License-Identifier: Apache-2.0
SELECT count(*) AS blobs,
       coalesce(sum(b.bytes), 0)::bigint AS bytes,
       count(*) FILTER (WHERE b.is_unused) AS unused_blobs,
       coalesce(sum(b.bytes) FILTER (WHERE b.is_unused), 0)::bigint AS unused_bytes,
       count(*) FILTER (WHERE b.is_unused AND b.seen_at < :unseen_since) AS collectable_blobs,
       coalesce(sum(b.bytes) FILTER (WHERE b.is_unused AND b.seen_at < :unseen_since), 0)::bigint AS collectable_bytes
FROM (
    SELECT bytes, seen_at, NOT EXISTS (SELECT 1 FROM artifact_file AS f WHERE f.digest = blob.digest) AS is_unused
    FROM blob
) AS b
