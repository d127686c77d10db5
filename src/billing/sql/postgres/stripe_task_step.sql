-- SPDX-License-Identifier: Apache-2.0
UPDATE stripe_task SET done = :done WHERE sequence = :sequence AND done < :done
