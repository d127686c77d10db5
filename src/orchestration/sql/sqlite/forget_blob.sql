-- SPDX-License-Identifier: Apache-2.0
DELETE FROM blob WHERE digest = :digest AND collected_at IS NOT NULL
