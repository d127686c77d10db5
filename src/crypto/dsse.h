// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "crypto/ed25519.h"

namespace nexa::crypto {

/// One signature over an envelope's payload. `keyid` is a hint for finding the key, nothing signs
/// it.
struct DsseSignature {
    std::string keyid;
    std::string sig;  ///< raw bytes
};

/// A signed message (DSSE 1.0.2, docs/formats/dsse.md): the payload is the exact bytes that were
/// signed. Verify first, then parse those bytes; never sign what was serialised a second time.
struct DsseEnvelope {
    std::string payload_type;  ///< says what the payload is; signed, so no type passes for another
    std::string payload;       ///< raw bytes
    std::vector<DsseSignature> signatures;

    /// One line of JSON, members in the order payload, payloadType, signatures; standard base64.
    /// payload_type and key ids must be valid UTF-8, as everything is that parse_dsse() returned.
    std::string to_json() const;
};

struct DsseLimits {
    std::size_t bytes_max = std::size_t{16} << 20U;  ///< of the JSON text
};

/// Reads the JSON form. As the specification asks, base64 may be standard or URL-safe and members
/// it does not know are ignored; a name twice in one object is refused, and so are more than 16
/// signatures or 256 characters of payload type or key id. Checks no signature.
/// Errors: kMalformed (no JSON, or no base64), kInvalidArgument (a member is missing, of another
/// type or over a limit).
Result<DsseEnvelope> parse_dsse(std::string_view json, const DsseLimits& limits = {});

/// The bytes that are signed: "DSSEv1", the type and the payload, each with its length in front.
std::string dsse_pae(std::string_view payload_type, std::string_view payload);

/// An envelope with one signature, whose keyid is the key's key_id().
DsseEnvelope sign_dsse(
    std::string_view payload_type, std::string_view payload, const Ed25519PrivateKey& key
);

/// The key that a keyid names, if we trust one of that name. The id may be empty or anything else.
using DsseKeyLookup = std::function<std::optional<Ed25519PublicKey>(std::string_view keyid)>;

/// The distinct trusted keys that signed `envelope`, in its order; never empty. Signatures by keys
/// that `lookup` does not know count for nothing; one by a known key that does not verify refuses
/// the whole envelope. Errors: kUnauthenticated (another payload type than `expected_type`, a bad
/// signature, or none by a known key).
Result<std::vector<Ed25519PublicKey>> verify_dsse(
    const DsseEnvelope& envelope, std::string_view expected_type, const DsseKeyLookup& lookup
);

}  // namespace nexa::crypto
