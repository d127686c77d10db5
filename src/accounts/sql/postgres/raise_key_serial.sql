-- SPDX-License-Identifier: Apache-2.0
UPDATE key_serial SET serial = serial + 1
