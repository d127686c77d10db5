// SPDX-License-Identifier: Apache-2.0
#include "fleet/envelope.h"

#include <optional>

#include "crypto/base64.h"
#include "crypto/ed25519.h"

namespace nexa::fleet {

protocol::Envelope to_message(const crypto::DsseEnvelope& envelope) {
    protocol::Envelope message{
        .payload = crypto::to_base64(envelope.payload),
        .payload_type = envelope.payload_type,
    };
    for (const crypto::DsseSignature& signature : envelope.signatures) {
        message.signatures.push_back(
            {.keyid = signature.keyid, .sig = crypto::to_base64(signature.sig)}
        );
    }
    return message;
}

Result<crypto::DsseEnvelope> from_message(const protocol::Envelope& message) {
    auto payload = crypto::from_base64(message.payload);
    if (!payload) {
        return std::move(payload).error().at("payload");
    }
    crypto::DsseEnvelope envelope{
        .payload_type = message.payload_type, .payload = *std::move(payload)
    };
    for (const protocol::EnvelopeSignature& signature : message.signatures) {
        auto bytes = crypto::from_base64(signature.sig);
        if (!bytes) {
            return std::move(bytes).error().at("sig").at("signatures");
        }
        envelope.signatures.push_back({.keyid = signature.keyid, .sig = *std::move(bytes)});
    }
    return envelope;
}

Status verify_signed_by(
    const crypto::DsseEnvelope& envelope,
    std::string_view payload_type,
    const std::string& public_key_base64
) {
    TRY(const auto key, crypto::Ed25519PublicKey::from_base64(public_key_base64));
    const auto look_up = [&](std::string_view keyid) {
        return keyid == key.key_id() ? std::optional(key) : std::nullopt;
    };
    TRY_STATUS(crypto::verify_dsse(envelope, payload_type, look_up));
    return {};
}

}  // namespace nexa::fleet
