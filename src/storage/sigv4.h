// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/secrets.h"

namespace nexa::storage {

/// Who asks. Never printed: the two secrets are Secret, and messages name none of them.
struct ObjectCredentials {
    std::string key_id;
    Secret secret{""};
    Secret session_token{""};  ///< of temporary credentials; empty: none
};

/// Amazon's signature, and Google's, which is the same under other names.
enum class SigningDialect : std::uint8_t { kAmazon, kGoogle };

struct SigningScope {
    SigningDialect dialect = SigningDialect::kAmazon;
    std::string region = "us-east-1";
    std::string service = "s3";
};

using NameValues = std::vector<std::pair<std::string, std::string>>;

/// The parts of a request that its signature covers. Nothing in it is escaped.
struct SignableRequest {
    std::string method = "GET";
    std::string host{};  ///< with its port, if that is not the scheme's own
    std::string path = "/";
    NameValues query{};
    NameValues headers{};  ///< every one is signed; without Host
    /// SHA-256 of the body in hex, or kUnsignedPayload.
    std::string payload_hash{};
};

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
/// What the stores allow at most.
inline constexpr std::chrono::seconds kPresignMax{7 * 24 * 3600};

/// All but letters, digits and "-._~/" escaped, byte by byte: nothing is folded together, so "a//b"
/// and "a/./b" stay what they are.
std::string escaped_path(std::string_view path);
/// "a=1&b=" sorted by the bytes of the escaped names, then of the values; a space is %20.
std::string canonical_query(const NameValues& query);
/// Signature Version 4, up to what is hashed: for tests and for explaining a mismatch.
std::string canonical_request(const SignableRequest& request);

/// Adds to `request.headers` what the dialect wants: date, hash of the body, session token, and
/// Authorization.
void sign(
    SignableRequest& request,
    const SigningScope& scope,
    const ObjectCredentials& credentials,
    Timestamp now
);

/// The query string that lets anybody send this request until `expires` from `now`: the body is not
/// signed, the headers of `request` must be sent as they are.
std::string presigned_query(
    SignableRequest request,
    const SigningScope& scope,
    const ObjectCredentials& credentials,
    Timestamp now,
    std::chrono::seconds expires
);

/// The bare signature of `request` as it is, for published examples of other services.
std::string signature_of(
    const SignableRequest& request,
    const SigningScope& scope,
    const ObjectCredentials& credentials,
    Timestamp now
);

}  // namespace nexa::storage
