// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace nexa::crypto {

/// HMAC-SHA256 (RFC 2104): 32 raw bytes. Key and message may be of any length, also empty.
std::string hmac_sha256(std::string_view key, std::string_view message);

/// Whether two secrets are equal, in a time that depends on their lengths alone. Texts of unequal
/// length are unequal. The way to compare MACs, tokens and hashes of keys.
bool constant_time_equal(std::string_view a, std::string_view b);

}  // namespace nexa::crypto
