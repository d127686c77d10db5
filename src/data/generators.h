// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace nexa::data {

/// Kinds of problem whose answers a program can check.
enum class Domain : std::uint8_t {
    kArithmetic,  ///< "12+30=" → "42"
    kSort,        ///< "sort 5 3 9=" → "3 5 9"
    kReverse,     ///< "reverse abc=" → "cba"
    kCount,       ///< "count b in abcab=" → "2"
    kDates,       ///< "2024-02-28 + 3 days=" → "2024-03-02"
};

std::string_view to_string(Domain domain);
std::optional<Domain> domain_from(std::string_view name);

enum class Operation : std::uint8_t { kAdd, kSubtract, kMultiply };

/// How many digits, items or letters a problem has. Every size gets its share of the rows, equal
/// until the small ones are used up.
struct SizeRange {
    int min = 1;
    int max = 1;
};

struct ArithmeticOptions {
    std::vector<Operation> operations = {Operation::kAdd};
    SizeRange digits = {.min = 1, .max = 3};  ///< of each operand; 1 to 9
    bool negative_results = false;            ///< subtraction may go below zero
    bool reversed_answer = false;             ///< "24" for 42: the order in which carries are known
};

struct SortOptions {
    SizeRange items = {.min = 3, .max = 8};  ///< 2 to 24
    int value_max = 99;                      ///< values are 0 to this; 1 to 9999
};

struct LetterOptions {                          // of kReverse and kCount
    SizeRange letters = {.min = 3, .max = 10};  ///< 1 to 20
    int alphabet = 26;                          ///< the first letters of a to z; 2 to 26
};

enum class DateQuestion : std::uint8_t { kAddDays, kDifference, kWeekday };

struct DateOptions {
    std::vector<DateQuestion> questions = {
        DateQuestion::kAddDays, DateQuestion::kDifference, DateQuestion::kWeekday
    };
    int year_min = 1900;  ///< of the first date; 1 to 9990
    int year_max = 2099;
    int days_max = 1000;  ///< between two dates; 1 to 3000
};

/// Only the chosen domain's options count.
struct ProblemSpec {
    Domain domain = Domain::kArithmetic;
    ArithmeticOptions arithmetic = {};
    SortOptions sort = {};
    LetterOptions reverse = {};
    LetterOptions count = {.letters = {.min = 5, .max = 12}, .alphabet = 5};
    DateOptions dates = {};
};

enum class Split : std::uint8_t { kTrain, kValidation, kTest };
std::string_view to_string(Split split);

struct SplitSizes {
    std::int64_t train = 0;  ///< each at most 100 million
    std::int64_t validation = 0;
    std::int64_t test = 0;
};

/// A problem, its answer, and what to know about it (domain, operation, size …) in a fixed order.
struct ProblemRow {
    std::string prompt;
    std::string answer;
    std::vector<std::pair<std::string, std::string>> meta;

    friend bool operator==(const ProblemRow&, const ProblemRow&) = default;
};

/// Distinct problems of one kind, numbered: exactly as many rows in each split as asked for, none
/// twice, and none in one split that is in another, nor its twin: 2+3 and 3+2, or a word and the
/// same word read backward, never part.
///
/// Row i of a split is a function of the spec, the sizes, the seed and i alone, and takes no
/// memory: any part of the dataset can be made anywhere. Immutable; any thread may use it.
class ProblemSet {
public:
    /// Errors: kInvalidArgument naming the option; if fewer problems exist than rows are asked for,
    /// the message says how many there are.
    static Result<ProblemSet> create(const ProblemSpec& spec, SplitSizes sizes, std::uint64_t seed);
    ProblemSet(ProblemSet&&) noexcept;
    ProblemSet& operator=(ProblemSet&&) noexcept;
    ~ProblemSet();

    std::int64_t size(Split split) const;
    /// 0 <= i < size(split).
    ProblemRow row(Split split, std::int64_t i) const;

private:
    struct Impl;
    explicit ProblemSet(std::unique_ptr<const Impl> impl);
    std::unique_ptr<const Impl> impl_;
};

struct Verdict {
    bool correct = false;
    std::string expected;  ///< the right answer
};

enum class AnswerOrder : std::uint8_t { kForward, kReversed };  // kReversed: kArithmetic only

/// Solves `prompt` anew, without the generator, and compares; white space around the answer does
/// not count. Errors: kMalformed if the prompt is no problem of the domain.
Result<Verdict> verify(
    Domain domain,
    std::string_view prompt,
    std::string_view answer,
    AnswerOrder order = AnswerOrder::kForward
);

}  // namespace nexa::data
