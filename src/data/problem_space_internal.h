// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "data/counter_random.h"
#include "data/generators.h"

namespace nexa::data::internal {

/// Numbers of problems go beyond 64 bits: there are 2^94 words of 20 letters.
__extension__ using Wide = unsigned __int128;

inline constexpr Wide kWideMax = Wide{1} << 100U;  // leaves room to multiply by small numbers

/// a * b, at most kWideMax. Both are at most kWideMax.
constexpr Wide saturating_product(Wide a, Wide b) {
    return a != 0 && b > kWideMax / a ? kWideMax : a * b;
}

/// How many pairs (a, b) with a <= b < n there are; n < 2^63.
constexpr Wide triangle(Wide n) {
    return n * (n + 1) / 2;
}

struct UnorderedPair {
    std::uint64_t small = 0;
    std::uint64_t large = 0;
};

/// The pair with this number: pairs are ordered by the larger member, then by the smaller.
/// The inverse of triangle(large) + small.
UnorderedPair pair_at(Wide index);

/// All problems of one kind and size, numbered from 0. A group is a problem together with its twin,
/// if it has one: the same problem turned round.
class ProblemSpace {
public:
    virtual ~ProblemSpace() = default;
    ProblemSpace() = default;
    ProblemSpace(const ProblemSpace&) = delete;
    ProblemSpace& operator=(const ProblemSpace&) = delete;

    virtual Wide groups() const = 0;
    /// A group of two problems, unless it is one of the self_twins() that are their own twin.
    virtual bool has_twins() const { return false; }
    virtual Wide self_twins() const { return 0; }
    virtual Wide self_twin(std::uint64_t /*k*/) const { return 0; }
    /// `turned` picks the twin. `random` decides what does not tell problems apart.
    virtual ProblemRow problem(Wide group, bool turned, CounterRandom random) const = 0;
};

using ProblemSpaces = std::vector<std::unique_ptr<ProblemSpace>>;

// Errors: kInvalidArgument at the option's name.
Result<ProblemSpaces> arithmetic_spaces(const ArithmeticOptions& options);
Result<ProblemSpaces> sort_spaces(const SortOptions& options);
Result<ProblemSpaces> reverse_spaces(const LetterOptions& options);
Result<ProblemSpaces> count_spaces(const LetterOptions& options);
Result<ProblemSpaces> date_spaces(const DateOptions& options);

// The right answer. Errors: kMalformed.
Result<std::string> solve_arithmetic(std::string_view prompt);
Result<std::string> solve_sort(std::string_view prompt);
Result<std::string> solve_reverse(std::string_view prompt);
Result<std::string> solve_count(std::string_view prompt);
Result<std::string> solve_dates(std::string_view prompt);

Status check_range(SizeRange range, int min, int max);
Error not_a_problem(Domain domain, std::string_view prompt);

/// `text` without `prefix` and without the "=" at the end; false if it has not both.
bool strip_frame(std::string_view& text, std::string_view prefix);
/// Reads 1 to `digits_max` ASCII digits at the start of `text` and takes them off.
bool take_number(std::string_view& text, std::size_t digits_max, std::int64_t& number);

}  // namespace nexa::data::internal
