-- SPDX-License-Identifier: Apache-2.0
SELECT DISTINCT region FROM gateway ORDER BY region
