-- SPDX-License-Identifier: Apache-2.0
DELETE FROM blob_holder WHERE digest = :digest
