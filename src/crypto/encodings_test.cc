// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/base64.h"
#include "crypto/hex.h"
#include "crypto/hmac.h"
#include "crypto/wiped_bytes_internal.h"
#include "fakes/seeded_random.h"

namespace nexa::crypto {
namespace {

std::string random_bytes(Random& random, std::size_t size) {
    std::string bytes(size, '\0');
    random.fill(std::as_writable_bytes(std::span(bytes)));
    return bytes;
}

TEST(Hex, WritesLowerCaseAndReadsBothCases) {
    EXPECT_EQ(to_hex(std::string("\x00\x7f\xab\xff", 4)), "007fabff");
    EXPECT_EQ(from_hex("007FabFF").value(), std::string("\x00\x7f\xab\xff", 4));
    EXPECT_EQ(from_hex("").value(), "");
}

TEST(Hex, RefusesOddLengthAndOtherCharacters) {
    EXPECT_EQ(from_hex("abc").error().code, ErrorCode::kMalformed);
    for (const char* text :
         {"0g",
          "g0",
          " 0",
          "0x",
          "/0",
          ":0",
          "@0",
          "`0",
          "\xff"
          "0"}) {
        EXPECT_EQ(from_hex(text).error().code, ErrorCode::kMalformed) << text;
    }
    EXPECT_EQ(from_hex("000z").error().message, "character 3 is no hex digit");
}

TEST(Base64, GivesTheTextsOfTheRfc) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xfe", "+//+"},
    };
    for (const auto& [bytes, text] : cases) {
        EXPECT_EQ(to_base64(bytes), text);
        EXPECT_EQ(from_base64(text).value(), bytes);
    }
}

TEST(Base64, UrlFormHasItsOwnDigitsAndNoPadding) {
    EXPECT_EQ(to_base64("\xfb\xff\xfe", Base64Form::kUrl), "-__-");
    EXPECT_EQ(to_base64("f", Base64Form::kUrl), "Zg");
    EXPECT_EQ(from_base64("-__-", Base64Form::kUrl).value(), "\xfb\xff\xfe");
    EXPECT_FALSE(from_base64("Zg==", Base64Form::kUrl));
    EXPECT_FALSE(from_base64("+//+", Base64Form::kUrl));
    EXPECT_FALSE(from_base64("-__-", Base64Form::kStandard));
}

TEST(Base64, RefusesEveryTextButTheOneItWrites) {
    for (const char* text :
         {"Zg",
          "Zg=",
          "Z===",
          "====",
          "Zg==Zg==",
          "Zm8=\n",
          " Zm8=",
          "Zm9v\n",
          "Zh==",
          "Zm9=",
          "Z",
          "Zm9vY",
          "Zm\0v",
          "=m9v",
          "Zm=v"}) {
        EXPECT_EQ(from_base64(text).error().code, ErrorCode::kMalformed) << text;
    }
    EXPECT_FALSE(from_base64("Zh", Base64Form::kUrl));
    EXPECT_FALSE(from_base64("Z", Base64Form::kUrl));
}

TEST(Base64, RoundTripsBytesOfAnyLength) {
    fakes::SeededRandom random(7);
    for (std::size_t size = 0; size < 200; ++size) {
        const std::string bytes = random_bytes(random, size);
        EXPECT_EQ(from_base64(to_base64(bytes)).value(), bytes);
        EXPECT_EQ(from_base64(to_base64(bytes, Base64Form::kUrl), Base64Form::kUrl).value(), bytes);
        EXPECT_EQ(from_hex(to_hex(bytes)).value(), bytes);
    }
}

TEST(Hmac, GivesTheCodesOfRfc4231) {
    EXPECT_EQ(
        to_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    );
    EXPECT_EQ(
        to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    EXPECT_EQ(
        to_hex(hmac_sha256(
            std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"
        )),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    );
}

TEST(Hmac, AnEmptyKeyIsAKeyOfItsOwn) {
    const std::string first = hmac_sha256("some key", "");
    EXPECT_EQ(
        to_hex(hmac_sha256({}, {})),
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
    );
    EXPECT_NE(hmac_sha256({}, {}), first);
}

TEST(ConstantTimeEqual, ComparesLengthAndBytes) {
    EXPECT_TRUE(constant_time_equal("", ""));
    EXPECT_TRUE(constant_time_equal("abc", std::string("abc")));
    EXPECT_FALSE(constant_time_equal("abc", "abd"));
    EXPECT_FALSE(constant_time_equal("abc", "ab"));
    EXPECT_FALSE(constant_time_equal("", "a"));
}

TEST(WipedBytes, MovesWithoutACopy) {
    WipedBytes first("secret");
    const char* const where = first.data();
    WipedBytes second(std::move(first));
    EXPECT_EQ(second.data(), where);
    EXPECT_EQ(second.view(), "secret");
    EXPECT_EQ(first.size(), 0U);  // NOLINT(bugprone-use-after-move): that it is empty is the test
    second = WipedBytes("other");
    EXPECT_EQ(second.view(), "other");
}

}  // namespace
}  // namespace nexa::crypto
