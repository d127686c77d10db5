// SPDX-License-Identifier: Apache-2.0
#include "crypto/hmac.h"

#include <array>
#include <limits>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/check.h"

namespace nexa::crypto {

std::string hmac_sha256(std::string_view key, std::string_view message) {
    NEXA_CHECK(key.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
    // A null pointer would mean "the key of the last call" to OpenSSL, and an empty view may hold
    // one.
    const char* const key_bytes = key.empty() ? "" : key.data();
    std::array<unsigned char, 32> mac{};
    unsigned length = 0;
    const unsigned char* const made = HMAC(
        EVP_sha256(),
        key_bytes,
        static_cast<int>(key.size()),
        reinterpret_cast<const unsigned char*>(message.data()),
        message.size(),
        mac.data(),
        &length
    );
    NEXA_CHECK(made != nullptr && length == mac.size());
    return {reinterpret_cast<const char*>(mac.data()), mac.size()};
}

bool constant_time_equal(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace nexa::crypto
