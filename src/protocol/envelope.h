// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"

namespace nexa::protocol {

/// A DSSE envelope inside a JSON body.
struct EnvelopeSignature {
    static constexpr std::string_view kName = "EnvelopeSignature";
    std::string keyid;
    std::string sig;

    bool operator==(const EnvelopeSignature&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("keyid", &EnvelopeSignature::keyid, "Which key signed"),
            field("sig", &EnvelopeSignature::sig, "Base64 of the signature").required(),
        };
    }
};

struct Envelope {
    static constexpr std::string_view kName = "Envelope";
    std::string payload;
    std::string payload_type;
    std::vector<EnvelopeSignature> signatures;

    bool operator==(const Envelope&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("payload", &Envelope::payload, "Base64 of the signed bytes").required(),
            field("payloadType", &Envelope::payload_type, "What the bytes are").required(),
            field("signatures", &Envelope::signatures, "At least one").required(),
        };
    }
};

}  // namespace nexa::protocol
