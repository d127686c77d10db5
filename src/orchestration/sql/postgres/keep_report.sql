-- SPDX-License-Identifier: Apache-2.0
--
-- :states is a JSON array of the report's entries. What we do not know, or is of another region, is left out.
INSERT INTO gateway_deployment (deployment_id, gateway_id, state, message)
SELECT d.id, :gateway_id, told.value ->> 'state', coalesce(told.value ->> 'message', '')
FROM jsonb_array_elements(:states::jsonb) AS told (value)
JOIN deployment AS d ON d.id = told.value ->> 'deployment_id'
WHERE d.region = :region AND d.state IN ('loading', 'ready')
ON CONFLICT DO NOTHING
