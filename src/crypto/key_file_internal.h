// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "core/result.h"
#include "core/secrets.h"
#include "crypto/wiped_bytes_internal.h"

namespace nexa::crypto {

/// The text of a private key's file. Blocking. Errors: kNotFound, kPermissionDenied (group or
/// others have any right on it, or we may not read it), kMalformed (no regular file, or over 16
/// KiB), kUnavailable.
Result<WipedBytes> read_key_file(const std::filesystem::path& path);

/// Stores `text` with mode 0600, whole and on disk, only if nothing is there yet. Blocking.
/// Errors: kConflict (something is there), kPermissionDenied, kUnavailable.
Status create_key_file(const std::filesystem::path& path, const Secret& text);

}  // namespace nexa::crypto
