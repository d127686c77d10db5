// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "core/utf8.h"
#include "data/problem_space_internal.h"

namespace nexa::data::internal {
namespace {

struct OperationRow {
    Operation operation;
    char sign;
    std::string_view name;
};
constexpr std::array<OperationRow, 3> kOperations{{
    {Operation::kAdd, '+', "add"},
    {Operation::kSubtract, '-', "subtract"},
    {Operation::kMultiply, '*', "multiply"},
}};

std::uint64_t power_of_ten(int exponent) {
    std::uint64_t power = 1;
    for (int i = 0; i < exponent; ++i) {
        power *= 10;
    }
    return power;
}

// The least number that is written with so many digits.
std::uint64_t least_with(int digits) {
    return digits == 1 ? 0 : power_of_ten(digits - 1);
}

// False on overflow.
bool calculate(std::int64_t a, char sign, std::int64_t b, std::int64_t& result) {
    switch (sign) {
        case '+':
            return !__builtin_add_overflow(a, b, &result);
        case '-':
            return !__builtin_sub_overflow(a, b, &result);
        default:
            return !__builtin_mul_overflow(a, b, &result);
    }
}

// Pairs of operands of which the larger has exactly `digits` digits and the smaller no fewer than
// the options' least. They are counted from the least operand on.
class ArithmeticSpace final : public ProblemSpace {
public:
    ArithmeticSpace(const OperationRow& operation, int digits, const ArithmeticOptions& options)
        : operation_(operation),
          digits_(digits),
          least_(least_with(options.digits.min)),
          begin_(least_with(digits) - least_),
          end_(power_of_ten(digits) - least_),
          has_twins_(operation.operation != Operation::kSubtract || options.negative_results),
          reversed_(options.reversed_answer) {}

    Wide groups() const override { return triangle(end_) - triangle(begin_); }
    bool has_twins() const override { return has_twins_; }
    Wide self_twins() const override { return end_ - begin_; }
    Wide self_twin(std::uint64_t k) const override {
        const std::uint64_t operand = begin_ + k;
        return triangle(operand) + operand - triangle(begin_);
    }

    ProblemRow problem(Wide group, bool turned, CounterRandom /*random*/) const override {
        UnorderedPair pair = pair_at(group + triangle(begin_));
        // Larger first is the first form, so that differences are not negative.
        std::uint64_t left = least_ + pair.large;
        std::uint64_t right = least_ + pair.small;
        if (turned) {
            std::swap(left, right);
        }
        std::int64_t result = 0;
        NEXA_CHECK(calculate(
            static_cast<std::int64_t>(left),
            operation_.sign,
            static_cast<std::int64_t>(right),
            result
        ));
        std::string answer = std::to_string(result);
        if (reversed_) {
            std::ranges::reverse(answer);
        }
        return {
            .prompt = fmt::format("{}{}{}=", left, operation_.sign, right),
            .answer = std::move(answer),
            .meta =
                {{"domain", "arithmetic"},
                 {"operation", std::string(operation_.name)},
                 {"digits", std::to_string(digits_)},
                 {"answer_order", reversed_ ? "reversed" : "forward"}},
        };
    }

private:
    OperationRow operation_;
    int digits_;
    std::uint64_t least_;  ///< of both operands
    std::uint64_t begin_;
    std::uint64_t end_;
    bool has_twins_;
    bool reversed_;
};

}  // namespace

UnorderedPair pair_at(Wide index) {
    // The largest n with triangle(n) <= index, by halving: exact, where a square root would round.
    Wide low = 0;
    Wide high = Wide{1} << 63U;
    while (high - low > 1) {
        const Wide middle = low + (high - low) / 2;
        (triangle(middle) <= index ? low : high) = middle;
    }
    return {static_cast<std::uint64_t>(index - triangle(low)), static_cast<std::uint64_t>(low)};
}

Result<ProblemSpaces> arithmetic_spaces(const ArithmeticOptions& options) {
    if (Status digits = check_range(options.digits, 1, 9); !digits) {
        return std::move(digits).error().at("digits");
    }
    if (options.operations.empty()) {
        return Error::invalid_argument("must name an operation").at("operations");
    }
    ProblemSpaces spaces;
    for (const OperationRow& row : kOperations) {
        if (std::ranges::find(options.operations, row.operation) == options.operations.end()) {
            continue;
        }
        for (int digits = options.digits.min; digits <= options.digits.max; ++digits) {
            spaces.push_back(std::make_unique<ArithmeticSpace>(row, digits, options));
        }
    }
    return spaces;
}

Result<std::string> solve_arithmetic(std::string_view prompt) {
    constexpr std::size_t kDigitsMax = 18;
    std::string_view rest = prompt;
    std::int64_t left = 0;
    std::int64_t right = 0;
    if (!take_number(rest, kDigitsMax, left) || rest.empty()) {
        return not_a_problem(Domain::kArithmetic, prompt);
    }
    const char sign = rest.front();
    rest.remove_prefix(1);
    const bool is_known =
        std::ranges::find(kOperations, sign, &OperationRow::sign) != kOperations.end();
    if (!is_known || !take_number(rest, kDigitsMax, right) || rest != "=") {
        return not_a_problem(Domain::kArithmetic, prompt);
    }
    std::int64_t result = 0;
    if (!calculate(left, sign, right, result)) {
        return Error::malformed("the result of '{}' does not fit 64 bits", quotable(prompt));
    }
    return std::to_string(result);
}

}  // namespace nexa::data::internal
