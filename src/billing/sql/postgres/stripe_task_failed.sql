-- SPDX-License-Identifier: Apache-2.0
UPDATE stripe_task SET next_at = nexa_now() + :pause::bigint, error = :error WHERE sequence = :sequence
