// SPDX-License-Identifier: Apache-2.0
#include "crypto/api_key.h"

#include <cmath>
#include <set>
#include <string>
#include <unordered_set>

#include <gtest/gtest.h>

#include "fakes/proves.h"
#include "fakes/seeded_random.h"

namespace nexa::crypto {
namespace {

/// Fills with one byte: the ends of the range.
class ConstantRandom final : public Random {
public:
    explicit ConstantRandom(std::byte value) : value_(value) {}
    void fill(std::span<std::byte> bytes) override { std::ranges::fill(bytes, value_); }

private:
    std::byte value_;
};

constexpr std::string_view kAlphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

TEST(ApiKey, HasTypedPrefixAndFixedLength) {
    SystemRandom random;
    const std::pair<ApiKeyKind, std::string> kinds[] = {
        {ApiKeyKind::kUser, "nexa_"},
        {ApiKeyKind::kRestricted, "nexa_rk_"},
        {ApiKeyKind::kWorker, "nexa_wk_"},
    };
    for (const auto& [kind, prefix] : kinds) {
        const ApiKey key = make_api_key(kind, random);
        const std::string secret(key.secret());
        EXPECT_TRUE(secret.starts_with(prefix));
        EXPECT_EQ(secret.size(), prefix.size() + 49);
        EXPECT_EQ(secret.find_first_not_of(kAlphabet, prefix.size()), std::string::npos);
        const auto parsed = parse_api_key(secret);
        ASSERT_TRUE(parsed) << parsed.error().to_string();
        EXPECT_EQ(parsed->kind(), kind);
        EXPECT_EQ(parsed->secret(), secret);
        EXPECT_EQ(parsed->sha256(), sha256(secret));
    }
}

TEST(ApiKey, EncodesTheWholeRangeOf256Bits) {
    ConstantRandom zeros(std::byte{0});
    ConstantRandom ones(std::byte{0xff});
    EXPECT_EQ(
        make_api_key(ApiKeyKind::kUser, zeros).secret(), "nexa_" + std::string(43, '0') + "2WYD5L"
    );
    EXPECT_EQ(
        make_api_key(ApiKeyKind::kUser, ones).secret(),
        "nexa_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp10d5rRv"
    );
}

TEST(ApiKey, EverySingleCharacterChangeIsRefusedWithoutAnyLookup) {
    fakes::SeededRandom random(5);
    for (const ApiKeyKind kind :
         {ApiKeyKind::kUser, ApiKeyKind::kRestricted, ApiKeyKind::kWorker}) {
        const ApiKey key = make_api_key(kind, random);
        const std::string secret(key.secret());
        for (std::size_t i = 0; i < secret.size(); ++i) {
            for (const char c : kAlphabet) {
                std::string changed = secret;
                changed[i] = c;
                if (changed == secret) {
                    continue;
                }
                const auto refused = parse_api_key(changed);
                ASSERT_FALSE(refused) << changed;
                EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
            }
        }
    }
}

TEST(ApiKey, RefusesOtherShapesAndNeverRepeatsThem) {
    fakes::SeededRandom random(6);
    const ApiKey key = make_api_key(ApiKeyKind::kUser, random);
    const std::string secret(key.secret());
    std::string accented = secret;
    accented[10] = '\xe9';
    std::string zero = secret;
    zero[10] = '\0';
    for (const std::string& text :
         {std::string(),
          std::string("nexa_"),
          secret.substr(1),
          secret.substr(0, 53),
          secret + "0",
          " " + secret,
          secret + "\n",
          "sk-" + secret.substr(3),
          "NEXA_" + secret.substr(5),
          "nexa_rk_" + secret.substr(5),
          "nexa_xk_" + secret.substr(8),
          accented,
          zero,
          std::string(1'000'000, 'a')}) {
        const auto refused = parse_api_key(text);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
        EXPECT_EQ(refused.error().to_string().find(secret.substr(20, 10)), std::string::npos);
    }
}

TEST(ApiKey, TheChecksumCoversThePrefix) {
    fakes::SeededRandom random(7);
    const ApiKey key = make_api_key(ApiKeyKind::kRestricted, random);
    std::string worker(key.secret());
    worker[5] = 'w';
    EXPECT_FALSE(parse_api_key(worker));
}

TEST(ApiKey, MaskShowsPrefixAndFourCharactersOfEachEnd) {
    fakes::SeededRandom random(8);
    const ApiKey user = make_api_key(ApiKeyKind::kUser, random);
    const std::string secret(user.secret());
    EXPECT_EQ(user.masked(), secret.substr(0, 9) + "…" + secret.substr(secret.size() - 4));
    const ApiKey worker = make_api_key(ApiKeyKind::kWorker, random);
    EXPECT_EQ(worker.masked().size(), 12 + std::string("…").size() + 4);
}

TEST(ApiKey, TheRandomPartHasTheBitsOfTheOperatingSystem) {
    NEXA_PROVES("F-57");
    EXPECT_GE(43 * std::log2(62), 256.0);  // the number fits, so all 256 bits are kept
    SystemRandom random;
    std::set<std::string, std::less<>> seen;
    std::array<std::set<char>, 43> digits;
    for (int i = 0; i < 5000; ++i) {
        const ApiKey key = make_api_key(ApiKeyKind::kUser, random);
        EXPECT_TRUE(seen.emplace(key.secret()).second);
        for (std::size_t k = 0; k < digits.size(); ++k) {
            digits[k].insert(key.secret()[5 + k]);
        }
    }
    for (std::size_t k = 1; k < digits.size(); ++k) {
        EXPECT_EQ(digits[k].size(), 62U) << k;  // every place takes every digit
    }
}

TEST(ApiKeySlow, AMillionKeysHoldNoRepeat) {
    NEXA_PROVES("F-57");
    SystemRandom random;
    std::unordered_set<std::string> seen;
    seen.reserve(1'000'000);
    for (int i = 0; i < 1'000'000; ++i) {
        const ApiKey key = make_api_key(ApiKeyKind::kUser, random);
        ASSERT_TRUE(seen.emplace(key.secret()).second);
    }
}

}  // namespace
}  // namespace nexa::crypto
