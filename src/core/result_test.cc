// SPDX-License-Identifier: Apache-2.0
#include "core/result.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/check.h"
#include "core/guard.h"

namespace nexa {
namespace {

Result<int> half(int n) {
    if (n % 2 != 0) {
        return Error::invalid_argument("{} is odd", n).at("n");
    }
    return n / 2;
}

Result<std::string> quarter(int n) {
    TRY(const int once, half(n));
    TRY(const int twice, half(once));
    return std::to_string(twice);
}

Status is_even(int n) {
    TRY_STATUS(half(n));
    return {};
}

void throw_bad_alloc() {
    throw std::bad_alloc();
}

TEST(Result, TryHandsTheValueOn) {
    EXPECT_EQ(quarter(12).value(), "3");
    EXPECT_TRUE(is_even(2));
}

TEST(Result, TryReturnsTheFirstErrorUnchanged) {
    const auto result = quarter(6);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(result.error().message, "3 is odd");
    EXPECT_EQ(result.error().param, "n");
    EXPECT_EQ(is_even(3).error().message, "3 is odd");
}

TEST(Result, CarriesMoveOnlyValues) {
    const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
    const auto forward = [&]() -> Result<std::unique_ptr<int>> {
        TRY(auto pointer, make());
        return pointer;
    };
    EXPECT_EQ(**forward(), 7);
}

TEST(Result, OfATypeWithoutDefaultIsAnErrorUntilSet) {
    struct NoDefault {
        explicit NoDefault(int) {}
    };
    const Result<NoDefault> result;
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kInternal);
}

TEST(Error, PlacesNestFromTheInsideOut) {
    EXPECT_EQ(Error::invalid_argument("x").at("epochs").at("payload").param, "payload.epochs");
    EXPECT_EQ(Error::invalid_argument("x").at("text").at("[3]").at("rows").param, "rows[3].text");
}

TEST(Error, ReadsAsPlaceMessageAdvice) {
    const Error error =
        Error::not_found("no job type 'trian'").at("job_type").hint("did you mean 'train'?");
    EXPECT_EQ(error.to_string(), "job_type: no job type 'trian' (did you mean 'train'?)");
    EXPECT_EQ(Error::internal("x").while_doing("load config").message, "load config: x");
}

TEST(ErrorCode, TheTableIsInTheOrderOfTheEnumAndNamesAreUnique) {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < kErrorCodes.size(); ++i) {
        EXPECT_EQ(static_cast<std::size_t>(kErrorCodes[i].code), i);
        EXPECT_EQ(error_code_from(kErrorCodes[i].name), kErrorCodes[i].code);
        names.push_back(kErrorCodes[i].name);
    }
    std::ranges::sort(names);
    EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
    EXPECT_FALSE(error_code_from("no_such_code"));
}

TEST(ErrorCode, OnlyWeatherIsRetryable) {
    EXPECT_TRUE(is_retryable(ErrorCode::kUnavailable));
    EXPECT_TRUE(is_retryable(ErrorCode::kResourceExhausted));
    EXPECT_TRUE(is_retryable(ErrorCode::kDeadlineExceeded));
    EXPECT_FALSE(is_retryable(ErrorCode::kInvalidArgument));
    EXPECT_FALSE(is_retryable(ErrorCode::kCancelled));
    EXPECT_FALSE(is_retryable(ErrorCode::kInternal));
}

TEST(Guard, TurnsExceptionsIntoErrorsAndLetsResultsThrough) {
    EXPECT_EQ(guard([] { return 5; }).value(), 5);
    EXPECT_EQ(guard([] { return half(3); }).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(guard([]() -> int { return std::stoi("x"); }).error().code, ErrorCode::kInternal);
    EXPECT_TRUE(guard([] {}));
    const auto out_of_memory = guard([] { throw_bad_alloc(); });
    EXPECT_EQ(out_of_memory.error().code, ErrorCode::kResourceExhausted);
}

TEST(CheckDeathTest, NamesTheConditionAndAborts) {
    EXPECT_DEATH(NEXA_CHECK(1 + 1 == 3), "check failed: 1 \\+ 1 == 3");
    NEXA_CHECK(1 + 1 == 2);
}

}  // namespace
}  // namespace nexa
