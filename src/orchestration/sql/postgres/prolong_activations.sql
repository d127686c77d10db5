-- SPDX-License-Identifier: Apache-2.0
--
-- After a start of the server: while it was away no gateway could report.
UPDATE job SET activate_until = nexa_now() + :activation_us
WHERE state = 'activating' AND activate_until < nexa_now() + :activation_us
