-- SPDX-License-Identifier: Apache-2.0
INSERT INTO stripe_option (name, since) VALUES (:name, nexa_now()) ON CONFLICT DO NOTHING
