-- SPDX-License-Identifier: Apache-2.0
SELECT pool, view FROM scaling WHERE view != '' ORDER BY pool
