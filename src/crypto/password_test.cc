// SPDX-License-Identifier: Apache-2.0
#include "crypto/password.h"

#include <gtest/gtest.h>

#include "fakes/seeded_random.h"

namespace nexa::crypto {
namespace {

constexpr PasswordCost kCheap{.cost_log2 = 10, .block_size = 8, .passes = 1};

class PasswordTest : public ::testing::Test {
protected:
    std::string hash(std::string_view password, const PasswordCost& cost = kCheap) {
        return blocking::hash_password(password, cost, random).value();
    }
    fakes::SeededRandom random{5};
};

TEST_F(PasswordTest, OnlyTheSamePasswordMatches) {
    const std::string with_nul("correct\0horse", 13);
    for (const std::string& password : {std::string("correct horse"), std::string(), with_nul}) {
        const std::string encoded = hash(password);
        EXPECT_TRUE(blocking::check_password(password, encoded, kCheap)->matches);
        EXPECT_FALSE(blocking::check_password(password + "x", encoded, kCheap)->matches);
        EXPECT_FALSE(blocking::check_password("correct", encoded, kCheap)->matches);
    }
}

TEST_F(PasswordTest, TheSamePasswordTwiceIsTwoTexts) {
    const std::string first = hash("correct horse");
    EXPECT_NE(first, hash("correct horse"));
    EXPECT_TRUE(first.starts_with("$scrypt$ln=10,r=8,p=1$"));
    EXPECT_EQ(first.find("horse"), std::string::npos);
}

TEST_F(PasswordTest, AHashAtAnotherCostMatchesAndIsOutdated) {
    const std::string encoded = hash("correct horse");
    EXPECT_FALSE(blocking::check_password("correct horse", encoded, kCheap)->outdated);
    const PasswordCost dearer{.cost_log2 = 11, .block_size = 8, .passes = 1};
    const auto verdict = blocking::check_password("correct horse", encoded, dearer);
    EXPECT_TRUE(verdict->matches);
    EXPECT_TRUE(verdict->outdated);
}

// RFC 7914, section 12, second vector, cut to the 32 bytes that we keep.
TEST_F(PasswordTest, ItIsScryptAsTheStandardSays) {
    const std::string encoded =
        "$scrypt$ln=10,r=8,p=16$TmFDbA$_bq-HJ00cgB4VucZDQHp_nxq18vII3gw53N2Y0s3MWI";
    const auto verdict = blocking::check_password("password", encoded, kCheap);
    ASSERT_TRUE(verdict) << verdict.error().to_string();
    EXPECT_TRUE(verdict->matches);
}

TEST_F(PasswordTest, TheUnmatchedOneIsReadAndNeverMatches) {
    const std::string nobodys = unmatched_password(kCheap, random);
    const auto verdict = blocking::check_password("", nobodys, kCheap);
    ASSERT_TRUE(verdict) << verdict.error().to_string();
    EXPECT_FALSE(verdict->matches);
    EXPECT_FALSE(verdict->outdated);
    EXPECT_EQ(nobodys.size(), hash("x").size());
}

TEST_F(PasswordTest, WhatIsDamagedIsSaidToBeAndCostsNoMemory) {
    const std::string good = hash("x");
    for (const std::string& text :
         {std::string(),
          std::string("$scrypt$"),
          std::string("$2b$10$abcdefghijklmnopqrstuv"),
          good.substr(0, good.size() - 1),
          good + "A",
          std::string("$scrypt$ln=40,r=8,p=1$TmFDbA$_bq-HJ00cgB4VucZDQHp_nxq18vII3gw53N2Y0s3MWI"),
          std::string("$scrypt$ln=0,r=8,p=1$TmFDbA$_bq-HJ00cgB4VucZDQHp_nxq18vII3gw53N2Y0s3MWI"),
          std::string("$scrypt$ln=10,r=8,p=$TmFDbA$_bq-HJ00cgB4VucZDQHp_nxq18vII3gw53N2Y0s3MWI"),
          std::string("$scrypt$ln=10,r=8,p=1")}) {
        const auto verdict = blocking::check_password("x", text, kCheap);
        ASSERT_FALSE(verdict) << text;
        EXPECT_EQ(verdict.error().code, ErrorCode::kDataLoss);
    }
}

}  // namespace
}  // namespace nexa::crypto
