// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "crypto/dsse.h"
#include "protocol/envelope.h"

namespace nexa::fleet {

/// The message form of a signed envelope.
protocol::Envelope to_message(const crypto::DsseEnvelope& envelope);

/// Errors: kMalformed (base64). Checks no signature.
Result<crypto::DsseEnvelope> from_message(const protocol::Envelope& message);

/// Errors: kUnauthenticated (another payload type, or not signed by this key), kMalformed (no such
/// key).
Status verify_signed_by(
    const crypto::DsseEnvelope& envelope,
    std::string_view payload_type,
    const std::string& public_key_base64
);

}  // namespace nexa::fleet
