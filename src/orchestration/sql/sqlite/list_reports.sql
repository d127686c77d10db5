-- SPDX-License-Identifier: Apache-2.0
--
-- How deployments stand on the gateways that were heard of lately. :deployment_ids is a JSON array.
SELECT r.deployment_id, r.state, r.message, g.id AS gateway_id, g.url, g.last_seen_at
FROM json_each(:deployment_ids) AS asked
JOIN gateway_deployment AS r ON r.deployment_id = asked.value
JOIN gateway AS g ON g.id = r.gateway_id
WHERE g.last_seen_at > nexa_now() - :age_us
ORDER BY r.deployment_id, g.id
