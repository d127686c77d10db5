// SPDX-License-Identifier: Apache-2.0
#include "crypto/dsse.h"

#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "crypto/base64.h"
#include "crypto/hex.h"
#include "fakes/proves.h"
#include "fakes/seeded_random.h"

namespace nexa::crypto {
namespace {

constexpr const char* kType = "application/vnd.nexa.result.v1+json";

Ed25519PrivateKey key_of(std::uint64_t seed) {
    fakes::SeededRandom random(seed);
    return Ed25519PrivateKey::generate(random);
}

/// Knows the keys made of these seeds, by their ids.
DsseKeyLookup knowing(const std::vector<std::uint64_t>& seeds) {
    std::map<std::string, Ed25519PublicKey, std::less<>> keys;
    for (const std::uint64_t seed : seeds) {
        const Ed25519PublicKey key = key_of(seed).public_key();
        keys.emplace(key.key_id(), key);
    }
    return [keys](std::string_view keyid) -> std::optional<Ed25519PublicKey> {
        const auto found = keys.find(keyid);
        return found == keys.end() ? std::nullopt : std::optional(found->second);
    };
}

TEST(Dsse, SignsTheBytesOfTheSpecification) {
    EXPECT_EQ(
        dsse_pae("http://example.com/HelloWorld", "hello world"),
        "DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    );
    EXPECT_EQ(dsse_pae("", ""), "DSSEv1 0  0 ");
    EXPECT_EQ(dsse_pae("ü", std::string("\0\n", 2)), std::string("DSSEv1 2 ü 2 \0\n", 16));
}

TEST(Dsse, ReadsTheEnvelopeOfTheSpecification) {
    const auto envelope = parse_dsse(R"({"payload": "aGVsbG8gd29ybGQ=",
        "payloadType": "http://example.com/HelloWorld",
        "signatures": [{"keyid": "66301bbf", "sig": "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="}]})"
    );
    ASSERT_TRUE(envelope) << envelope.error().to_string();
    EXPECT_EQ(envelope->payload, "hello world");
    EXPECT_EQ(envelope->payload_type, "http://example.com/HelloWorld");
    ASSERT_EQ(envelope->signatures.size(), 1U);
    EXPECT_EQ(envelope->signatures[0].keyid, "66301bbf");
    EXPECT_EQ(envelope->signatures[0].sig.size(), 64U);
    EXPECT_TRUE(to_hex(envelope->signatures[0].sig).starts_with("03726ab101ad56c2"));
}

TEST(Dsse, RoundTripsAndVerifies) {
    const std::string payload = std::string("{\"x\":1}\n\0\xff", 10);
    const DsseEnvelope made = sign_dsse(kType, payload, key_of(1));
    const auto read = parse_dsse(made.to_json());
    ASSERT_TRUE(read) << read.error().to_string();
    EXPECT_EQ(read->payload, payload);
    EXPECT_EQ(read->to_json(), made.to_json());
    const auto signers = verify_dsse(*read, kType, knowing({1}));
    ASSERT_TRUE(signers) << signers.error().to_string();
    EXPECT_EQ(*signers, std::vector{key_of(1).public_key()});
}

TEST(Dsse, AnEmptyPayloadIsSignedToo) {
    const DsseEnvelope made = sign_dsse(kType, "", key_of(1));
    EXPECT_TRUE(verify_dsse(parse_dsse(made.to_json()).value(), kType, knowing({1})));
}

TEST(Dsse, EveryFlippedBitOfTheEnvelopeIsRefused) {
    NEXA_PROVES("P-66");
    const std::string json = sign_dsse(kType, R"({"job":"j1","fence":7})", key_of(1)).to_json();
    const DsseKeyLookup lookup = knowing({1});
    for (std::size_t bit = 0; bit < json.size() * 8; ++bit) {
        std::string flipped = json;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
        const auto envelope = parse_dsse(flipped);
        EXPECT_FALSE(envelope && verify_dsse(*envelope, kType, lookup)) << bit << ": " << flipped;
    }
}

TEST(Dsse, AnotherPayloadTypeIsRefused) {
    const DsseEnvelope made = sign_dsse("application/vnd.nexa.register.v1+json", "{}", key_of(1));
    const auto refused = verify_dsse(made, kType, knowing({1}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
    EXPECT_NE(refused.error().message.find("register"), std::string::npos);

    // Relabelled, the signature no longer fits.
    DsseEnvelope relabelled = made;
    relabelled.payload_type = kType;
    EXPECT_FALSE(verify_dsse(relabelled, kType, knowing({1})));
}

TEST(Dsse, LengthsKeepTypeAndPayloadApart) {
    const DsseEnvelope made = sign_dsse("ab", "c", key_of(1));
    DsseEnvelope shifted = made;
    shifted.payload_type = "a";
    shifted.payload = "bc";
    EXPECT_FALSE(verify_dsse(shifted, "a", knowing({1})));
}

TEST(Dsse, SignaturesOfUnknownKeysCountForNothing) {
    DsseEnvelope envelope = sign_dsse(kType, "x", key_of(1));
    EXPECT_EQ(verify_dsse(envelope, kType, knowing({2})).error().code, ErrorCode::kUnauthenticated);
    envelope.signatures.push_back(sign_dsse(kType, "x", key_of(2)).signatures[0]);
    EXPECT_EQ(
        verify_dsse(envelope, kType, knowing({2})).value(), std::vector{key_of(2).public_key()}
    );
    envelope.signatures.clear();
    EXPECT_FALSE(verify_dsse(envelope, kType, knowing({1})));
}

TEST(Dsse, OneBadSignatureOfAKnownKeyRefusesTheWhole) {
    DsseEnvelope envelope = sign_dsse(kType, "x", key_of(1));
    envelope.signatures.push_back(sign_dsse(kType, "y", key_of(2)).signatures[0]);
    EXPECT_FALSE(verify_dsse(envelope, kType, knowing({1, 2})));
    EXPECT_TRUE(verify_dsse(envelope, kType, knowing({1})));
}

TEST(Dsse, AKeyThatSignsTwiceIsOneSigner) {
    DsseEnvelope envelope = sign_dsse(kType, "x", key_of(1));
    envelope.signatures.push_back(envelope.signatures[0]);
    EXPECT_EQ(verify_dsse(envelope, kType, knowing({1})).value().size(), 1U);
}

TEST(Dsse, ReadsUrlSafeBase64AndIgnoresUnknownMembers) {
    for (const char* payload : {"+/8=", "-_8=", "-_8"}) {
        const auto envelope = parse_dsse(fmt::format(
            R"({{"payload":"{}","payloadType":"t","extra":{{"a":[1]}},"signatures":[{{"sig":"","x":0}}]}})",
            payload
        ));
        ASSERT_TRUE(envelope) << envelope.error().to_string();
        EXPECT_EQ(envelope->payload, "\xfb\xff");
        EXPECT_EQ(envelope->signatures[0].keyid, "");
    }
}

TEST(Dsse, RefusesWhatIsNoEnvelope) {
    for (const char* json :
         {"",
          "[]",
          "1",
          "{}",
          R"({"payload":"","payloadType":"t"})",
          R"({"payload":"","signatures":[]})",
          R"({"payloadType":"t","signatures":[]})",
          R"({"payload":1,"payloadType":"t","signatures":[]})",
          R"({"payload":"*","payloadType":"t","signatures":[]})",
          R"({"payload":"+_8=","payloadType":"t","signatures":[]})",
          R"({"payload":"-=8=","payloadType":"t","signatures":[]})",
          R"({"payload":"-===","payloadType":"t","signatures":[]})",
          R"({"payload":"Zh==","payloadType":"t","signatures":[]})",
          R"({"payload":"","payloadType":"t","signatures":{}})",
          R"({"payload":"","payloadType":"t","signatures":[1]})",
          R"({"payload":"","payloadType":"t","signatures":[{"keyid":"k"}]})",
          R"({"payload":"","payloadType":"t","signatures":[{"keyid":1,"sig":""}]})",
          R"({"payload":"","payload":"eA==","payloadType":"t","signatures":[]})"}) {
        const auto refused = parse_dsse(json);
        ASSERT_FALSE(refused) << json;
        const ErrorCode code = refused.error().code;
        EXPECT_TRUE(code == ErrorCode::kMalformed || code == ErrorCode::kInvalidArgument) << json;
    }
    EXPECT_EQ(
        parse_dsse(R"({"payload":"","payloadType":"t","signatures":[{"sig":1}]})").error().param,
        "signatures[0].sig"
    );
}

TEST(Dsse, HoldsItsLimits) {
    const DsseEnvelope made = sign_dsse(kType, "x", key_of(1));
    const std::string json = made.to_json();
    EXPECT_TRUE(parse_dsse(json, {.bytes_max = json.size()}));
    EXPECT_FALSE(parse_dsse(json, {.bytes_max = json.size() - 1}));

    DsseEnvelope many = made;
    many.signatures.resize(16, made.signatures[0]);
    EXPECT_TRUE(parse_dsse(many.to_json()));
    many.signatures.resize(17, made.signatures[0]);
    EXPECT_EQ(parse_dsse(many.to_json()).error().code, ErrorCode::kInvalidArgument);

    DsseEnvelope wordy = made;
    wordy.payload_type = std::string(256, 't');
    EXPECT_TRUE(parse_dsse(wordy.to_json()));
    wordy.payload_type += 't';
    EXPECT_EQ(parse_dsse(wordy.to_json()).error().param, "payloadType");
}

}  // namespace
}  // namespace nexa::crypto
