-- SPDX-License-Identifier: Apache-2.0
UPDATE workflow_branch SET has_news = 0 WHERE workflow_id = :workflow_id AND has_news = 1
