// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/random.h"
#include "core/result.h"

namespace nexa::crypto {

/// What scrypt (RFC 7914) spends on one password: memory is 128 * block_size * 2^cost_log2 bytes,
/// 32 MiB here, time about a third of a second.
struct PasswordCost {
    int cost_log2 = 15;  ///< 10 to 20
    int block_size = 8;
    int passes = 3;

    friend bool operator==(const PasswordCost&, const PasswordCost&) = default;
};

struct PasswordVerdict {
    bool matches = false;
    bool outdated = false;  ///< hashed at another cost than is wanted now
};

namespace blocking {

/// The password under a fresh salt, with salt and cost in the text (docs/formats/password.md).
/// `random` must be the system's. Errors: kUnavailable (memory).
Result<std::string> hash_password(
    std::string_view password, const PasswordCost& cost, Random& random
);

/// Whether `encoded` was made of this password, in a time that does not depend on where they
/// differ. Errors: kDataLoss (`encoded` cannot be read), kUnavailable (memory).
Result<PasswordVerdict> check_password(
    std::string_view password, std::string_view encoded, const PasswordCost& wanted
);

}  // namespace blocking

/// A text that no password matches, and that costs as much to check as a real one: so that an
/// unknown user takes as long as a known one.
std::string unmatched_password(const PasswordCost& cost, Random& random);

}  // namespace nexa::crypto
