-- SPDX-License-Identifier: Apache-2.0
INSERT INTO ledger_outbox (kind, subject, body, created_at) VALUES (:kind, :subject, :body, nexa_now())
