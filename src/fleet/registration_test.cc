// SPDX-License-Identifier: Apache-2.0
#include "fleet/registration.h"

#include <gtest/gtest.h>

#include "core/json.h"
#include "crypto/dsse.h"
#include "crypto/ed25519.h"
#include "fakes/manual_clock.h"
#include "fakes/seeded_random.h"
#include "fleet/envelope.h"
#include "protocol/result_messages.h"

namespace nexa::fleet {
namespace {

class RegistrationTest : public ::testing::Test {
protected:
    protocol::WorkerRegistration registration() {
        return {
            .public_key = key.public_key().to_base64(),
            .name = "one",
            .created_at = to_rfc3339(clock.now())
        };
    }
    protocol::Envelope sign(
        const protocol::WorkerRegistration& message,
        std::string_view type = protocol::kRegisterPayloadType
    ) {
        return to_message(crypto::sign_dsse(type, to_json(message), key));
    }

    fakes::ManualClock clock;
    fakes::SeededRandom random{1};
    crypto::Ed25519PrivateKey key = crypto::Ed25519PrivateKey::generate(random);
};

TEST_F(RegistrationTest, SignedWithTheKeyItNamesIsBelieved) {
    const auto opened = open_registration(sign(registration()), clock.now());
    ASSERT_TRUE(opened) << opened.error().to_string();
    EXPECT_EQ(*opened, registration());
}

TEST_F(RegistrationTest, AnyChangedByteIsRefused) {
    const protocol::Envelope good = sign(registration());
    const crypto::DsseEnvelope opened = *from_message(good);
    for (std::size_t i = 0; i < opened.payload.size(); ++i) {
        crypto::DsseEnvelope changed = opened;
        changed.payload[i] = static_cast<char>(changed.payload[i] ^ 1);
        EXPECT_FALSE(open_registration(to_message(changed), clock.now())) << "byte " << i;
    }
}

TEST_F(RegistrationTest, AnotherWorkersKeyIsRefused) {
    auto message = registration();
    message.public_key = crypto::Ed25519PrivateKey::generate(random).public_key().to_base64();
    EXPECT_EQ(
        open_registration(sign(message), clock.now()).error().code, ErrorCode::kUnauthenticated
    );
}

TEST_F(RegistrationTest, AnotherPayloadTypeIsRefused) {
    const auto envelope = sign(registration(), protocol::kJobResultPayloadType);
    EXPECT_EQ(open_registration(envelope, clock.now()).error().code, ErrorCode::kUnauthenticated);
}

TEST_F(RegistrationTest, IsGoodWithinTheWindowOnly) {
    const auto envelope = sign(registration());
    EXPECT_TRUE(open_registration(envelope, clock.now() + kRegistrationWindow));
    EXPECT_TRUE(open_registration(envelope, clock.now() - kRegistrationWindow));
    const auto beyond = kRegistrationWindow + std::chrono::seconds{1};
    EXPECT_EQ(open_registration(envelope, clock.now() + beyond).error().param, "created_at");
    EXPECT_FALSE(open_registration(envelope, clock.now() - beyond));
}

}  // namespace
}  // namespace nexa::fleet
