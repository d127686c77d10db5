// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "data/problem_space_internal.h"

namespace nexa::data::internal {
namespace {

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";

Wide power(int base, int exponent) {
    Wide result = 1;
    for (int i = 0; i < exponent; ++i) {
        result = saturating_product(result, static_cast<Wide>(base));
    }
    return result;
}

// The word with this number among the words of `letters` letters.
std::string word_at(Wide index, int letters, int alphabet) {
    std::string word;
    for (int i = 0; i < letters; ++i) {
        word.push_back(kLetters[static_cast<std::size_t>(index % static_cast<Wide>(alphabet))]);
        index /= static_cast<Wide>(alphabet);
    }
    return word;
}

// Lists of `items` values. A group is what the list holds; its order is left to chance, since a
// list and its rearrangement have one answer.
class SortSpace final : public ProblemSpace {
public:
    SortSpace(int items, int value_max) : items_(items), values_(value_max + 1) {
        // choose_[r][n] = n over r: how many sets of r out of n there are, for the numbering below.
        const std::size_t numbers =
            static_cast<std::size_t>(values_) + static_cast<std::size_t>(items_);
        choose_.assign(static_cast<std::size_t>(items_) + 1, std::vector<Wide>(numbers, 1));
        for (std::size_t r = 1; r < choose_.size(); ++r) {
            choose_[r][0] = 0;
            for (std::size_t n = 1; n < numbers; ++n) {
                choose_[r][n] = std::min(kWideMax, choose_[r][n - 1] + choose_[r - 1][n - 1]);
            }
        }
    }

    Wide groups() const override {
        return choose_[static_cast<std::size_t>(items_)]
                      [static_cast<std::size_t>(values_ + items_ - 1)];
    }

    ProblemRow problem(Wide group, bool /*turned*/, CounterRandom random) const override {
        const std::vector<int> sorted = list_at(group);
        std::vector<int> shuffled = sorted;
        for (std::size_t i = shuffled.size() - 1; i > 0; --i) {
            std::swap(shuffled[i], shuffled[static_cast<std::size_t>(random.below(i + 1))]);
        }
        return {
            .prompt = fmt::format("sort {}=", fmt::join(shuffled, " ")),
            .answer = fmt::format("{}", fmt::join(sorted, " ")),
            .meta = {{"domain", "sort"}, {"items", std::to_string(items_)}},
        };
    }

private:
    // The combinatorial number system: a rising list x0 <= x1 <= … is the set {x0, x1+1, x2+2, …},
    // and sets are numbered by their largest member first.
    std::vector<int> list_at(Wide group) const {
        std::vector<int> list(static_cast<std::size_t>(items_));
        for (std::size_t r = list.size(); r > 0; --r) {
            const auto& column = choose_[r];
            const auto above = std::ranges::upper_bound(column, group);
            const auto member = static_cast<std::size_t>(above - column.begin()) - 1;
            group -= column[member];
            list[r - 1] = static_cast<int>(member - (r - 1));
        }
        return list;
    }

    int items_;
    int values_;
    std::vector<std::vector<Wide>> choose_;
};

// Words and what they are read backward: an unordered pair of halves around a middle letter.
class ReverseSpace final : public ProblemSpace {
public:
    ReverseSpace(int letters, int alphabet)
        : letters_(letters),
          alphabet_(alphabet),
          halves_(power(alphabet, letters / 2)),
          middles_(letters % 2 == 0 ? 1 : static_cast<Wide>(alphabet)) {}

    Wide groups() const override { return triangle(halves_) * middles_; }
    bool has_twins() const override { return true; }
    Wide self_twins() const override { return halves_ * middles_; }
    Wide self_twin(std::uint64_t k) const override {
        const Wide half = k / middles_;
        return (triangle(half) + half) * middles_ + k % middles_;
    }

    ProblemRow problem(Wide group, bool turned, CounterRandom /*random*/) const override {
        const UnorderedPair halves = pair_at(group / middles_);
        const std::string left = word_at(halves.small, letters_ / 2, alphabet_);
        std::string right = word_at(halves.large, letters_ / 2, alphabet_);
        std::ranges::reverse(right);
        const std::string middle = word_at(group % middles_, letters_ % 2, alphabet_);
        std::string word = left + middle + right;
        std::string backward(word.rbegin(), word.rend());
        if (turned) {
            std::swap(word, backward);
        }
        return {
            .prompt = fmt::format("reverse {}=", word),
            .answer = std::move(backward),
            .meta = {{"domain", "reverse"}, {"letters", std::to_string(letters_)}},
        };
    }

private:
    int letters_;
    int alphabet_;
    Wide halves_;
    Wide middles_;
};

class CountSpace final : public ProblemSpace {
public:
    CountSpace(int letters, int alphabet)
        : letters_(letters), alphabet_(alphabet), words_(power(alphabet, letters)) {}

    Wide groups() const override {
        return saturating_product(words_, static_cast<Wide>(alphabet_));
    }

    ProblemRow problem(Wide group, bool /*turned*/, CounterRandom /*random*/) const override {
        const std::string word = word_at(group / static_cast<Wide>(alphabet_), letters_, alphabet_);
        const char letter =
            kLetters[static_cast<std::size_t>(group % static_cast<Wide>(alphabet_))];
        return {
            .prompt = fmt::format("count {} in {}=", letter, word),
            .answer = std::to_string(std::count(word.begin(), word.end(), letter)),
            .meta = {{"domain", "count"}, {"letters", std::to_string(letters_)}},
        };
    }

private:
    int letters_;
    int alphabet_;
    Wide words_;
};

Status check_letters(const LetterOptions& options) {
    if (Status letters = check_range(options.letters, 1, 20); !letters) {
        return std::move(letters).error().at("letters");
    }
    if (options.alphabet < 2 || options.alphabet > 26) {
        return Error::invalid_argument("must be 2 to 26, is {}", options.alphabet).at("alphabet");
    }
    return {};
}

bool is_word(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
}

}  // namespace

Result<ProblemSpaces> sort_spaces(const SortOptions& options) {
    if (Status items = check_range(options.items, 2, 24); !items) {
        return std::move(items).error().at("items");
    }
    if (options.value_max < 1 || options.value_max > 9999) {
        return Error::invalid_argument("must be 1 to 9999, is {}", options.value_max)
            .at("value_max");
    }
    ProblemSpaces spaces;
    for (int items = options.items.min; items <= options.items.max; ++items) {
        spaces.push_back(std::make_unique<SortSpace>(items, options.value_max));
        if (spaces.back()->groups() == kWideMax) {
            return Error::invalid_argument(
                       "there are more lists of {} values up to {} than can be numbered",
                       items,
                       options.value_max
            )
                .at("items")
                .hint("ask for shorter lists or smaller values");
        }
    }
    return spaces;
}

Result<ProblemSpaces> reverse_spaces(const LetterOptions& options) {
    TRY_STATUS(check_letters(options));
    ProblemSpaces spaces;
    for (int letters = options.letters.min; letters <= options.letters.max; ++letters) {
        spaces.push_back(std::make_unique<ReverseSpace>(letters, options.alphabet));
    }
    return spaces;
}

Result<ProblemSpaces> count_spaces(const LetterOptions& options) {
    TRY_STATUS(check_letters(options));
    ProblemSpaces spaces;
    for (int letters = options.letters.min; letters <= options.letters.max; ++letters) {
        spaces.push_back(std::make_unique<CountSpace>(letters, options.alphabet));
    }
    return spaces;
}

Result<std::string> solve_sort(std::string_view prompt) {
    std::string_view rest = prompt;
    if (!strip_frame(rest, "sort ")) {
        return not_a_problem(Domain::kSort, prompt);
    }
    std::vector<std::int64_t> values;
    do {
        if (!values.empty()) {
            rest.remove_prefix(1);  // the space that the loop saw
        }
        if (!take_number(rest, 18, values.emplace_back())) {
            return not_a_problem(Domain::kSort, prompt);
        }
    } while (rest.starts_with(' '));
    if (!rest.empty()) {
        return not_a_problem(Domain::kSort, prompt);
    }
    std::ranges::sort(values);
    return fmt::format("{}", fmt::join(values, " "));
}

Result<std::string> solve_reverse(std::string_view prompt) {
    std::string_view rest = prompt;
    if (!strip_frame(rest, "reverse ") || !is_word(rest)) {
        return not_a_problem(Domain::kReverse, prompt);
    }
    return std::string(rest.rbegin(), rest.rend());
}

Result<std::string> solve_count(std::string_view prompt) {
    std::string_view rest = prompt;
    constexpr std::string_view kIn = " in ";
    if (!strip_frame(rest, "count ") || rest.size() < 2 || !is_word(rest.substr(0, 1)) ||
        !rest.substr(1).starts_with(kIn) || !is_word(rest.substr(1 + kIn.size()))) {
        return not_a_problem(Domain::kCount, prompt);
    }
    const std::string_view word = rest.substr(1 + kIn.size());
    return std::to_string(std::count(word.begin(), word.end(), rest.front()));
}

}  // namespace nexa::data::internal
