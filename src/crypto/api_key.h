// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/random.h"
#include "core/result.h"
#include "core/secrets.h"
#include "core/sha256.h"

namespace nexa::crypto {

enum class ApiKeyKind {
    kUser,        ///< nexa_
    kRestricted,  ///< nexa_rk_
    kWorker,      ///< nexa_wk_
};

/// An API key (docs/formats/api_key.md): typed prefix, 43 base62 characters (256 random bits), 6 of
/// their CRC-32. Moves only and wipes itself: its secret is shown once, stored nowhere, never
/// logged.
class ApiKey {
public:
    ApiKeyKind kind() const { return kind_; }
    std::string_view secret() const { return text_.reveal(); }
    /// Of the whole text: what is stored and looked up. At this entropy no slow hash is needed.
    Sha256Digest sha256() const;
    /// "nexa_abcd…wxyz": prefix, first four and last four characters. Safe to show and to store.
    std::string masked() const;

private:
    friend ApiKey make_api_key(ApiKeyKind kind, Random& random);
    friend Result<ApiKey> parse_api_key(std::string_view text);
    ApiKey(ApiKeyKind kind, std::string_view text) : kind_(kind), text_(text) {}

    ApiKeyKind kind_;
    Secret text_;
};

/// A new key. `random` must be the system's (core/random.h).
ApiKey make_api_key(ApiKeyKind kind, Random& random);

/// Reads a key as a client sent it. A typing error is found by the checksum, without any lookup.
/// Errors: kUnauthenticated; the message never holds the text.
Result<ApiKey> parse_api_key(std::string_view text);

}  // namespace nexa::crypto
