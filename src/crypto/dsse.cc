// SPDX-License-Identifier: Apache-2.0
#include "crypto/dsse.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/json.h"
#include "core/json_codec.h"
#include "crypto/base64.h"
#include "crypto/canonical_json.h"

namespace nexa::crypto {
namespace {
constexpr std::size_t kTextLengthMax = 256;
constexpr std::size_t kSignaturesMax = 16;
constexpr std::size_t kValuesMax = 10'000;
}  // namespace

/// The JSON form, with base64 still in it.
struct DsseSignatureJson {
    std::string keyid;
    std::string sig;

    static constexpr auto fields() {
        using Self = DsseSignatureJson;
        return std::tuple{
            field("keyid", &Self::keyid, "Hint for finding the key").length(0, kTextLengthMax),
            field("sig", &Self::sig, "Signature in base64").required(),
        };
    }
};

struct DsseEnvelopeJson {
    std::string payload;
    std::string payload_type;
    std::vector<DsseSignatureJson> signatures;

    static constexpr auto fields() {
        using Self = DsseEnvelopeJson;
        return std::tuple{
            field("payload", &Self::payload, "What is signed, in base64").required(),
            field("payloadType", &Self::payload_type, "What the payload is")
                .required()
                .length(0, kTextLengthMax),
            field("signatures", &Self::signatures, "Signatures over type and payload")
                .required()
                .length(0, kSignaturesMax),
        };
    }
};
NEXA_JSON_CODEC(DsseSignatureJson);
NEXA_JSON_CODEC(DsseEnvelopeJson);

namespace {

/// Base64 of either alphabet, the URL-safe one with or without its padding.
Result<std::string> decoded(std::string_view text) {
    std::string_view digits = text;
    Base64Form form = Base64Form::kStandard;
    if (text.find_first_of("-_") != std::string_view::npos || text.size() % 4 != 0) {
        form = Base64Form::kUrl;
        for (int i = 0; i < 2 && text.size() % 4 == 0 && digits.ends_with('='); ++i) {
            digits.remove_suffix(1);
        }
    }
    return from_base64(digits, form);
}

Result<DsseEnvelope> read_envelope(std::string_view json, std::size_t bytes_max) {
    // Room for members we do not know, which may nest.
    constexpr std::size_t kDepthMax = 32;
    TRY(DsseEnvelopeJson read,
        from_json<DsseEnvelopeJson>(
            json,
            {.limits = {.bytes_max = bytes_max, .depth_max = kDepthMax, .values_max = kValuesMax},
             .unknown_keys = UnknownKeys::kIgnore}
        ));
    auto payload = decoded(read.payload);
    if (!payload) {
        return std::move(payload).error().at("payload");
    }
    DsseEnvelope envelope{std::move(read.payload_type), std::move(*payload), {}};
    for (std::size_t i = 0; i < read.signatures.size(); ++i) {
        auto sig = decoded(read.signatures[i].sig);
        if (!sig) {
            return std::move(sig).error().at("sig").at(fmt::format("[{}]", i)).at("signatures");
        }
        envelope.signatures.push_back({std::move(read.signatures[i].keyid), std::move(*sig)});
    }
    return envelope;
}

}  // namespace

std::string DsseEnvelope::to_json() const {
    std::string json = fmt::format(
        R"({{"payload":"{}","payloadType":{},"signatures":[)",
        to_base64(payload),
        canonical_string(payload_type)
    );
    for (const DsseSignature& signature : signatures) {
        json += fmt::format(
            R"({}{{"keyid":{},"sig":"{}"}})",
            json.ends_with('[') ? "" : ",",
            canonical_string(signature.keyid),
            to_base64(signature.sig)
        );
    }
    return json += "]}";
}

Result<DsseEnvelope> parse_dsse(std::string_view json, const DsseLimits& limits) {
    auto envelope = read_envelope(json, limits.bytes_max);
    if (!envelope) {
        return std::move(envelope).error().while_doing("parse DSSE envelope");
    }
    return envelope;
}

std::string dsse_pae(std::string_view payload_type, std::string_view payload) {
    return fmt::format(
        "DSSEv1 {} {} {} {}", payload_type.size(), payload_type, payload.size(), payload
    );
}

DsseEnvelope sign_dsse(
    std::string_view payload_type, std::string_view payload, const Ed25519PrivateKey& key
) {
    const Ed25519Signature signature = key.sign(dsse_pae(payload_type, payload));
    return {
        .payload_type = std::string(payload_type),
        .payload = std::string(payload),
        .signatures = {{key.public_key().key_id(), std::string(bytes_of(signature))}},
    };
}

Result<std::vector<Ed25519PublicKey>> verify_dsse(
    const DsseEnvelope& envelope, std::string_view expected_type, const DsseKeyLookup& lookup
) {
    if (envelope.payload_type != expected_type) {
        return Error::unauthenticated(
            "signed message is of type '{:.100}', not '{}'", envelope.payload_type, expected_type
        );
    }
    const std::string signed_bytes = dsse_pae(envelope.payload_type, envelope.payload);
    std::vector<Ed25519PublicKey> signers;
    for (const DsseSignature& signature : envelope.signatures) {
        const std::optional<Ed25519PublicKey> key = lookup(signature.keyid);
        if (!key) {
            continue;
        }
        if (!key->verify(signed_bytes, signature.sig)) {
            return Error::unauthenticated("signature by key {} does not verify", key->key_id());
        }
        if (std::ranges::find(signers, *key) == signers.end()) {
            signers.push_back(*key);
        }
    }
    if (signers.empty()) {
        return Error::unauthenticated("signed message carries no signature by a known key");
    }
    return signers;
}

}  // namespace nexa::crypto
