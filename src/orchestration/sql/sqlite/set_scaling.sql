-- SPDX-License-Identifier: Apache-2.0
UPDATE scaling SET view = :view WHERE pool = :pool AND holder = :holder
