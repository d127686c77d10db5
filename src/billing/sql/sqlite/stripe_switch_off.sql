-- SPDX-License-Identifier: Apache-2.0
DELETE FROM stripe_option WHERE name = :name
