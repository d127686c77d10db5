// SPDX-License-Identifier: Apache-2.0
#include "data/generators.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "data/problem_space_internal.h"

namespace nexa::data {
namespace {

constexpr std::array kSplits{Split::kTrain, Split::kValidation, Split::kTest};
constexpr std::array kAllDomains{
    Domain::kArithmetic, Domain::kSort, Domain::kReverse, Domain::kCount, Domain::kDates
};

ProblemSet problems(const ProblemSpec& spec, SplitSizes sizes, std::uint64_t seed = 1) {
    auto set = ProblemSet::create(spec, sizes, seed);
    EXPECT_TRUE(set) << set.error().to_string();
    return *std::move(set);
}

std::string refusal(const ProblemSpec& spec, SplitSizes sizes) {
    const auto set = ProblemSet::create(spec, sizes, 1);
    return set ? "accepted" : set.error().to_string();
}

std::vector<ProblemRow> rows_of(const ProblemSet& set, Split split) {
    std::vector<ProblemRow> rows;
    for (std::int64_t i = 0; i < set.size(split); ++i) {
        rows.push_back(set.row(split, i));
    }
    return rows;
}

std::string meta_of(const ProblemRow& row, std::string_view key) {
    for (const auto& [name, value] : row.meta) {
        if (name == key) {
            return value;
        }
    }
    return "";
}

// The same key for a problem and its twin, from the prompt alone.
std::string twin_key(Domain domain, const std::string& prompt) {
    if (domain == Domain::kReverse) {
        std::string word = prompt.substr(8, prompt.size() - 9);
        std::string backward(word.rbegin(), word.rend());
        return std::min(word, backward);
    }
    const std::size_t sign = prompt.find_first_of("+-*");
    if (domain != Domain::kArithmetic || sign == std::string::npos) {
        return prompt;
    }
    const std::string left = prompt.substr(0, sign);
    const std::string right = prompt.substr(sign + 1, prompt.size() - sign - 2);
    return prompt[sign] + std::min(left, right) + " " + std::max(left, right);
}

void expect_sound(const ProblemSpec& spec, const ProblemSet& set) {
    std::set<std::string> prompts;
    std::map<std::string, Split> split_of_key;
    const AnswerOrder order = spec.domain == Domain::kArithmetic && spec.arithmetic.reversed_answer
                                  ? AnswerOrder::kReversed
                                  : AnswerOrder::kForward;
    for (const Split split : kSplits) {
        for (const ProblemRow& row : rows_of(set, split)) {
            ASSERT_TRUE(prompts.insert(row.prompt).second) << "twice: " << row.prompt;
            const auto verdict = verify(spec.domain, row.prompt, row.answer, order);
            ASSERT_TRUE(verdict) << verdict.error().to_string();
            ASSERT_TRUE(verdict->correct) << row.prompt << row.answer << " " << verdict->expected;
            const auto found = split_of_key.emplace(twin_key(spec.domain, row.prompt), split);
            ASSERT_EQ(found.first->second, split) << "leaks: " << row.prompt;
        }
    }
}

TEST(Generators, EveryDomainGivesDistinctRightRowsAndNoTwinAcrossSplits) {
    for (const Domain domain : kAllDomains) {
        for (const std::uint64_t seed : {1ULL, 2ULL}) {
            const ProblemSpec spec{.domain = domain};
            const ProblemSet set = problems(spec, {2000, 300, 300}, seed);
            expect_sound(spec, set);
            EXPECT_EQ(set.size(Split::kTrain), 2000);
            EXPECT_EQ(set.size(Split::kValidation), 300);
            EXPECT_EQ(set.size(Split::kTest), 300);
        }
    }
}

TEST(Generators, ArithmeticOperationsMixInEqualSharesAndStaySound) {
    ProblemSpec spec;
    spec.arithmetic = {
        .operations = {Operation::kAdd, Operation::kSubtract, Operation::kMultiply},
        .digits = {.min = 2, .max = 4},
        .negative_results = true,
        .reversed_answer = true,
    };
    const ProblemSet set = problems(spec, {6000, 500, 500});
    expect_sound(spec, set);
    std::map<std::string, int> shares;
    for (const ProblemRow& row : rows_of(set, Split::kTrain)) {
        ++shares[meta_of(row, "operation") + meta_of(row, "digits")];
    }
    ASSERT_EQ(shares.size(), 9U);
    for (const auto& [share, count] : shares) {
        EXPECT_NEAR(count, 6000 / 9, 60) << share;
    }
}

TEST(Generators, DifferencesAreNotNegativeUnlessAskedFor) {
    ProblemSpec spec;
    spec.arithmetic = {.operations = {Operation::kSubtract}, .digits = {.min = 1, .max = 2}};
    for (const ProblemRow& row : rows_of(problems(spec, {3000, 0, 0}), Split::kTrain)) {
        ASSERT_NE(row.answer.front(), '-') << row.prompt;
    }
    spec.arithmetic.negative_results = true;
    const auto rows = rows_of(problems(spec, {3000, 0, 0}), Split::kTrain);
    EXPECT_GT(
        std::ranges::count_if(
            rows, [](const ProblemRow& row) { return row.answer.front() == '-'; }
        ),
        1000
    );
}

TEST(Generators, TheWholeOfASmallSpaceCanBeAskedForAndNotOneMore) {
    // One digit: 100 sums, 55 of them without their twins.
    ProblemSpec spec;
    spec.arithmetic.digits = {.min = 1, .max = 1};
    for (const SplitSizes sizes :
         {SplitSizes{100, 0, 0}, SplitSizes{55, 0, 0}, SplitSizes{56, 0, 0}, SplitSizes{45, 5, 5}
         }) {
        const ProblemSet set = problems(spec, sizes);
        expect_sound(spec, set);
    }
    EXPECT_EQ(
        refusal(spec, {101, 0, 0}),
        "sizes: asked for 101 train rows, but only 100 exist beside 0 validation and 0 test "
        "rows (ask for fewer rows or for larger problems)"
    );
    EXPECT_EQ(
        refusal(spec, {0, 30, 26}),
        "sizes: asked for 56 validation and test rows, but only 55 distinct problems exist "
        "(ask for fewer rows or for larger problems)"
    );
    EXPECT_EQ(refusal(spec, {-1, 0, 0}), "sizes: must be 0 to 100000000 rows, is -1");
}

TEST(Generators, TheLimitNamedIsExactForEveryHeldOutSize) {
    ProblemSpec spec;
    spec.arithmetic = {
        .operations = {Operation::kAdd, Operation::kSubtract}, .digits = {.min = 1, .max = 1}
    };
    ProblemSpec words{.domain = Domain::kReverse};
    words.reverse = {.letters = {.min = 2, .max = 3}, .alphabet = 3};
    for (const ProblemSpec& each : {spec, words}) {
        for (std::int64_t held = 0; held <= 8; held += 2) {
            for (std::uint64_t seed = 0; seed < 5; ++seed) {
                const auto refused = ProblemSet::create(each, {1000, held / 2, held / 2}, seed);
                ASSERT_FALSE(refused);
                const std::string& message = refused.error().message;
                const std::int64_t most = std::stoll(message.substr(message.find("only ") + 5));
                expect_sound(each, problems(each, {most, held / 2, held / 2}, seed));
                EXPECT_FALSE(ProblemSet::create(each, {most + 1, held / 2, held / 2}, seed));
            }
        }
    }
}

TEST(Generators, SmallSizesAreUsedUpAndTheRestGoesOn) {
    ProblemSpec spec;
    spec.arithmetic.digits = {.min = 1, .max = 3};
    std::map<std::string, int> sizes;
    for (const ProblemRow& row : rows_of(problems(spec, {1000, 0, 0}), Split::kTrain)) {
        ++sizes[meta_of(row, "digits")];
    }
    EXPECT_EQ(sizes["1"], 55);  // all of them
    EXPECT_NEAR(sizes["2"], sizes["3"], 1);
}

TEST(Generators, SameSeedGivesTheSameRowsAndOtherSeedsDiffer) {
    for (const Domain domain : kAllDomains) {
        const ProblemSpec spec{.domain = domain};
        const auto rows = rows_of(problems(spec, {200, 0, 0}, 7), Split::kTrain);
        EXPECT_EQ(rows_of(problems(spec, {200, 0, 0}, 7), Split::kTrain), rows);
        EXPECT_NE(rows_of(problems(spec, {200, 0, 0}, 8), Split::kTrain), rows);
    }
}

TEST(Generators, SpacesBeyondSixtyFourBitsWork) {
    ProblemSpec words{.domain = Domain::kReverse};
    words.reverse = {.letters = {.min = 19, .max = 20}, .alphabet = 26};
    ProblemSpec lists{.domain = Domain::kSort};
    lists.sort = {.items = {.min = 13, .max = 13}, .value_max = 999};
    ProblemSpec letters{.domain = Domain::kCount};
    letters.count = {.letters = {.min = 20, .max = 20}, .alphabet = 26};
    for (const ProblemSpec& spec : {words, lists, letters}) {
        expect_sound(spec, problems(spec, {3000, 100, 100}));
    }
    // Large values are as likely as small ones: the numbering is sampled over its whole width.
    double largest = 0;
    for (const ProblemRow& row : rows_of(problems(lists, {500, 0, 0}), Split::kTrain)) {
        largest += std::stod(row.answer.substr(row.answer.rfind(' ') + 1));
    }
    EXPECT_NEAR(largest / 500, 928, 20);
}

TEST(Generators, EveryListAndWordOfASmallSpaceIsThereOnce) {
    ProblemSpec lists{.domain = Domain::kSort};
    lists.sort = {.items = {.min = 3, .max = 3}, .value_max = 4};
    std::set<std::string> answers;  // C(5 + 2, 3) = 35 lists
    for (const ProblemRow& row : rows_of(problems(lists, {35, 0, 0}), Split::kTrain)) {
        answers.insert(row.answer);
    }
    EXPECT_EQ(answers.size(), 35U);
    EXPECT_NE(refusal(lists, {36, 0, 0}), "accepted");

    ProblemSpec words{.domain = Domain::kReverse};
    words.reverse = {.letters = {.min = 3, .max = 3}, .alphabet = 3};
    const ProblemSet all = problems(words, {27, 0, 0});
    expect_sound(words, all);
    EXPECT_NE(refusal(words, {28, 0, 0}), "accepted");
}

TEST(Generators, RefuseOptionsOutOfRangeNamingThem) {
    const auto arithmetic = [](ArithmeticOptions options) {
        ProblemSpec spec;
        spec.arithmetic = std::move(options);
        return refusal(spec, {1, 0, 0});
    };
    EXPECT_EQ(
        arithmetic({.digits = {.min = 0, .max = 3}}),
        "arithmetic.digits: must be a range within 1 to 9, is 0 to 3"
    );
    EXPECT_EQ(
        arithmetic({.digits = {.min = 3, .max = 2}}),
        "arithmetic.digits: must be a range within 1 to 9, is 3 to 2"
    );
    EXPECT_EQ(arithmetic({.operations = {}}), "arithmetic.operations: must name an operation");
    ProblemSpec spec{.domain = Domain::kSort};
    spec.sort = {.items = {.min = 24, .max = 24}, .value_max = 9999};
    EXPECT_EQ(
        refusal(spec, {1, 0, 0}),
        "sort.items: there are more lists of 24 values up to 9999 than can be numbered (ask "
        "for shorter lists or smaller values)"
    );
    spec = {.domain = Domain::kDates};
    spec.dates.year_min = 2100;
    EXPECT_EQ(
        refusal(spec, {1, 0, 0}),
        "dates.year_min: years must rise and lie in 1 to 9990, are 2100 to 2099"
    );
    spec = {.domain = Domain::kCount};
    spec.count.alphabet = 1;
    EXPECT_EQ(refusal(spec, {1, 0, 0}), "count.alphabet: must be 2 to 26, is 1");
}

TEST(Verify, ComparesWithTheRightAnswer) {
    const auto correct = [](Domain domain, std::string_view prompt, std::string_view answer) {
        return verify(domain, prompt, answer).value().correct;
    };
    EXPECT_TRUE(correct(Domain::kArithmetic, "12+30=", "42"));
    EXPECT_TRUE(correct(Domain::kArithmetic, "12+30=", " 42\n"));
    EXPECT_FALSE(correct(Domain::kArithmetic, "12+30=", "042"));
    EXPECT_FALSE(correct(Domain::kArithmetic, "12+30=", "4 2"));
    EXPECT_FALSE(correct(Domain::kArithmetic, "12+30=", ""));
    EXPECT_TRUE(correct(Domain::kArithmetic, "3-15=", "-12"));
    EXPECT_TRUE(verify(Domain::kArithmetic, "12+30=", "24", AnswerOrder::kReversed)->correct);
    EXPECT_TRUE(correct(Domain::kSort, "sort 10 9 100 9=", "9 9 10 100"));
    EXPECT_FALSE(correct(Domain::kSort, "sort 10 9=", "10 9"));
    EXPECT_TRUE(correct(Domain::kReverse, "reverse abc=", "cba"));
    EXPECT_TRUE(correct(Domain::kCount, "count a in banana=", "3"));
    EXPECT_TRUE(correct(Domain::kCount, "count z in banana=", "0"));
    EXPECT_EQ(verify(Domain::kCount, "count a in banana=", "2")->expected, "3");
}

TEST(Verify, KnowsTheCalendar) {
    const auto answer = [](std::string_view prompt) {
        return verify(Domain::kDates, prompt, "").value().expected;
    };
    EXPECT_EQ(answer("2024-02-28 + 2 days="), "2024-03-01");  // a leap year
    EXPECT_EQ(answer("1900-02-28 + 1 days="), "1900-03-01");  // none: divisible by 100
    EXPECT_EQ(answer("2000-02-28 + 1 days="), "2000-02-29");  // one: divisible by 400
    EXPECT_EQ(answer("1999-12-31 + 1 days="), "2000-01-01");
    EXPECT_EQ(answer("days from 2024-02-28 to 2024-03-01="), "2");
    EXPECT_EQ(answer("days from 2024-03-01 to 2024-02-28="), "-2");
    EXPECT_EQ(answer("weekday of 2024-02-29="), "Thursday");
    EXPECT_EQ(answer("weekday of 1970-01-01="), "Thursday");
}

TEST(Verify, RefusesPromptsOfOtherShapes) {
    const std::vector<std::pair<Domain, std::vector<std::string>>> bad{
        {Domain::kArithmetic,
         {"",
          "=",
          "1+1",
          "1+=",
          "+1=",
          "1/2=",
          "1+1= ",
          " 1+1=",
          "1+1==",
          "a+b=",
          "9999999999999999999+1=",
          "999999999999999999*999999999999999999="}},
        {Domain::kSort, {"", "sort", "sort =", "sort 1  2=", "sort 1 2", "sort 1,2=", "sort 1 ="}},
        {Domain::kReverse, {"", "reverse =", "reverse a b=", "reverse ABC=", "reverse abc"}},
        {Domain::kCount, {"", "count in abc=", "count a abc=", "count a in =", "count ab in ab="}},
        {Domain::kDates,
         {"",
          "=",
          "weekday of 2023-02-29=",
          "weekday of 24-02-01=",
          "weekday of 2024-13-01=",
          "2024-01-01 + days=",
          "2024-01-01 + 5 days",
          "days from 2024-01-01 to =",
          "2024-01-01 + 9999999 days="}},
    };
    for (const auto& [domain, prompts] : bad) {
        for (const std::string& prompt : prompts) {
            const auto verdict = verify(domain, prompt, "1");
            ASSERT_FALSE(verdict) << prompt;
            EXPECT_EQ(verdict.error().code, ErrorCode::kMalformed);
        }
    }
}

TEST(Domains, NamesRoundTrip) {
    for (const Domain domain : kAllDomains) {
        EXPECT_EQ(domain_from(to_string(domain)), domain);
    }
    EXPECT_FALSE(domain_from("poetry"));
}

TEST(ProblemSpace, PairsAreNumberedWithoutGaps) {
    internal::Wide index = 0;
    for (std::uint64_t large = 0; large < 200; ++large) {
        for (std::uint64_t small = 0; small <= large; ++small, ++index) {
            const auto pair = internal::pair_at(index);
            ASSERT_EQ(pair.small, small);
            ASSERT_EQ(pair.large, large);
        }
    }
    const internal::Wide far = internal::triangle(999999999999ULL) + 12345;
    EXPECT_EQ(internal::pair_at(far).large, 999999999999ULL);
    EXPECT_EQ(internal::pair_at(far).small, 12345U);
}

}  // namespace
}  // namespace nexa::data
