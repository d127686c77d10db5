// SPDX-License-Identifier: Apache-2.0
#include "core/decimal.h"

#include <string>

#include <gtest/gtest.h>

namespace nexa {
namespace {

std::optional<long long> whole(std::string_view text, long long factor = 1) {
    const auto number = parse_decimal(text);
    const auto value = number ? whole_multiple(*number, factor) : std::nullopt;
    return value ? std::optional(static_cast<long long>(*value)) : std::nullopt;
}

TEST(Decimal, IntegersInAnyDressAreWhole) {
    EXPECT_EQ(whole("3"), 3);
    EXPECT_EQ(whole("3.0"), 3);
    EXPECT_EQ(whole("-3.000"), -3);
    EXPECT_EQ(whole("3e2"), 300);
    EXPECT_EQ(whole("3.25e+2"), 325);
    EXPECT_EQ(whole("300e-2"), 3);
    EXPECT_EQ(whole("0e999"), 0);
    EXPECT_EQ(whole("-0"), 0);
    EXPECT_EQ(whole("9223372036854775807"), 9223372036854775807);
}

TEST(Decimal, PartsAreNotWholeUnlessTheFactorMakesThemSo) {
    EXPECT_EQ(whole("3.5"), std::nullopt);
    EXPECT_EQ(whole("1e-1"), std::nullopt);
    EXPECT_EQ(whole("9223372036854775807.5"), std::nullopt);
    EXPECT_EQ(whole("1.5", 1000), 1500);
    EXPECT_EQ(whole("0.0001", 1000), std::nullopt);
}

TEST(Decimal, WhatIsNoNumberOrTooMuchIsRefused) {
    for (const char* bad :
         {"",
          "-",
          "+1",
          "1.",
          ".5",
          "1e",
          "1e+-5",
          "0x1",
          "1 ",
          "nan",
          "1e1001",
          "1234567890123456789012345678901"}) {
        EXPECT_FALSE(parse_decimal(bad)) << bad;
    }
    EXPECT_FALSE(parse_decimal("1" + std::string(2000, '0')));
    EXPECT_EQ(whole("1e40"), std::nullopt);
}

}  // namespace
}  // namespace nexa
