-- SPDX-License-Identifier: Apache-2.0
UPDATE stripe_task SET next_at = NULL, error = '' WHERE sequence = :sequence
