-- SPDX-License-Identifier: Apache-2.0
UPDATE deployment_serial SET serial = serial + 1
