-- SPDX-License-Identifier: Apache-2.0
INSERT INTO nexa_migration (module, version, name, sha256, applied_at)
VALUES (:module, :version, :name, :sha256, nexa_now())
