-- SPDX-License-Identifier: Apache-2.0
SELECT version, name, sha256 FROM nexa_migration WHERE module = :module ORDER BY version
