-- SPDX-License-Identifier: Apache-2.0
DELETE FROM gateway_deployment WHERE gateway_id = :gateway_id
