-- SPDX-License-Identifier: Apache-2.0
--
-- How deployments stand on the gateways that were heard of lately. :deployment_ids is a JSON array.
SELECT r.deployment_id, r.state, r.message, g.id AS gateway_id, g.url, g.last_seen_at
FROM jsonb_array_elements_text(:deployment_ids::jsonb) AS asked (deployment_id)
JOIN gateway_deployment AS r ON r.deployment_id = asked.deployment_id
JOIN gateway AS g ON g.id = r.gateway_id
WHERE g.last_seen_at > nexa_now() - :age_us
ORDER BY r.deployment_id, g.id
