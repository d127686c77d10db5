// SPDX-License-Identifier: Apache-2.0
#include "crypto/dsse.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "crypto/base64.h"
#include "crypto/canonical_json.h"

namespace nexa::crypto {
namespace {

using Json = nlohmann::json;

Result<std::string> text_member(const Json& object, const char* name) {
    const auto member = object.find(name);
    if (member == object.end() || !member->is_string()) {
        return Error::malformed("must be a string").at(name);
    }
    return member->get_ref<const std::string&>();
}

Result<std::string> short_text_member(
    const Json& object, const char* name, const DsseLimits& limits
) {
    TRY(std::string text, text_member(object, name));
    if (text.size() > limits.text_bytes_max) {
        return Error::invalid_argument(
                   "has {} bytes, more than the {} allowed", text.size(), limits.text_bytes_max
        )
            .at(name);
    }
    return text;
}

/// Base64 of either alphabet, the URL-safe one with or without its padding.
Result<std::string> bytes_member(const Json& object, const char* name) {
    TRY(const std::string text, text_member(object, name));
    std::string_view digits = text;
    Base64Form form = Base64Form::kStandard;
    if (text.find_first_of("-_") != std::string::npos || text.size() % 4 != 0) {
        form = Base64Form::kUrl;
        for (int i = 0; i < 2 && text.size() % 4 == 0 && digits.ends_with('='); ++i) {
            digits.remove_suffix(1);
        }
    }
    auto bytes = from_base64(digits, form);
    if (!bytes) {
        return std::move(bytes).error().at(name);
    }
    return bytes;
}

Result<DsseSignature> read_signature(const Json& object, const DsseLimits& limits) {
    if (!object.is_object()) {
        return Error::malformed("must be an object");
    }
    DsseSignature signature;
    if (object.contains("keyid")) {
        TRY(signature.keyid, short_text_member(object, "keyid", limits));
    }
    TRY(signature.sig, bytes_member(object, "sig"));
    return signature;
}

Result<std::vector<DsseSignature>> read_signatures(const Json& envelope, const DsseLimits& limits) {
    const auto list = envelope.find("signatures");
    if (list == envelope.end() || !list->is_array()) {
        return Error::malformed("must be an array").at("signatures");
    }
    if (list->size() > limits.signatures_max) {
        return Error::invalid_argument(
                   "holds {} signatures, more than the {} allowed",
                   list->size(),
                   limits.signatures_max
        )
            .at("signatures");
    }
    std::vector<DsseSignature> signatures;
    for (std::size_t i = 0; i < list->size(); ++i) {
        auto signature = read_signature((*list)[i], limits);
        if (!signature) {
            return std::move(signature).error().at(fmt::format("[{}]", i)).at("signatures");
        }
        signatures.push_back(std::move(*signature));
    }
    return signatures;
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
    // Room for members we do not know, which may nest.
    constexpr std::size_t kDepthMax = 32;
    // The canonical form first: it refuses what the library's parser would let pass, such as a name
    // twice in one object.
    auto canonical = canonical_json(json, {.bytes_max = limits.bytes_max, .depth_max = kDepthMax});
    if (!canonical) {
        return std::move(canonical).error().while_doing("parse DSSE envelope");
    }
    const Json object = Json::parse(*canonical, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) {
        return Error::malformed("parse DSSE envelope: must be a JSON object");
    }
    const auto read = [&]() -> Result<DsseEnvelope> {
        DsseEnvelope envelope;
        TRY(envelope.payload_type, short_text_member(object, "payloadType", limits));
        TRY(envelope.payload, bytes_member(object, "payload"));
        TRY(envelope.signatures, read_signatures(object, limits));
        return envelope;
    };
    auto envelope = read();
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
