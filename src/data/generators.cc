// SPDX-License-Identifier: Apache-2.0
#include "data/generators.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.h"
#include "core/mix_bits.h"
#include "core/trim.h"
#include "core/utf8.h"
#include "data/problem_space_internal.h"
#include "data/shuffle.h"

namespace nexa::data {
namespace internal {

Status check_range(SizeRange range, int min, int max) {
    if (range.min < min || range.max > max || range.min > range.max) {
        return Error::invalid_argument(
            "must be a range within {} to {}, is {} to {}", min, max, range.min, range.max
        );
    }
    return {};
}

Error not_a_problem(Domain domain, std::string_view prompt) {
    return Error::malformed(
        "'{}' is no problem of the domain {}", quotable(prompt), to_string(domain)
    );
}

bool strip_frame(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix) || !text.ends_with('=')) {
        return false;
    }
    text.remove_prefix(prefix.size());
    text.remove_suffix(text.empty() ? 0 : 1);
    return true;
}

bool take_number(std::string_view& text, std::size_t digits_max, std::int64_t& number) {
    std::size_t digits = 0;
    number = 0;
    while (digits < text.size() && digits < digits_max && text[digits] >= '0' && text[digits] <= '9'
    ) {
        number = number * 10 + (text[digits] - '0');
        ++digits;
    }
    text.remove_prefix(digits);
    return digits > 0;
}

}  // namespace internal

namespace {

using internal::ProblemSpace;
using internal::ProblemSpaces;
using internal::Wide;

struct DomainRow {
    Domain domain;
    std::string_view name;
    Result<std::string> (*solve)(std::string_view prompt);
    Result<ProblemSpaces> (*spaces)(const ProblemSpec& spec);
};

constexpr std::array<DomainRow, 5> kDomains{{
    {Domain::kArithmetic,
     "arithmetic",
     internal::solve_arithmetic,
     [](const ProblemSpec& spec) { return internal::arithmetic_spaces(spec.arithmetic); }},
    {Domain::kSort,
     "sort",
     internal::solve_sort,
     [](const ProblemSpec& spec) { return internal::sort_spaces(spec.sort); }},
    {Domain::kReverse,
     "reverse",
     internal::solve_reverse,
     [](const ProblemSpec& spec) { return internal::reverse_spaces(spec.reverse); }},
    {Domain::kCount,
     "count",
     internal::solve_count,
     [](const ProblemSpec& spec) { return internal::count_spaces(spec.count); }},
    {Domain::kDates,
     "dates",
     internal::solve_dates,
     [](const ProblemSpec& spec) { return internal::date_spaces(spec.dates); }},
}};

const DomainRow& row_of(Domain domain) {
    return kDomains[static_cast<std::size_t>(domain)];
}

// Streams of random numbers that must not meet.
enum Stream : std::uint64_t { kRowOrder = 1, kTrainOrder, kTurn, kProblem, kStratum, kSpaceOrder };

std::uint64_t seed_of(std::uint64_t seed, Stream stream, std::uint64_t part = 0) {
    return mix_bits(mix_bits(seed ^ mix_bits(stream)) + part);
}

// A space whose groups are numbered by 64 bits in random order. Of larger spaces it reaches one
// group in each of 2^56 equal strata, more than anybody can ask for.
class ShuffledSpace {
public:
    ShuffledSpace(std::unique_ptr<ProblemSpace> space, std::uint64_t seed, std::uint64_t number)
        : space_(std::move(space)),
          reachable_(static_cast<std::uint64_t>(std::min(space_->groups(), kReachableMax))),
          stride_(space_->groups() / reachable_),
          seed_(seed_of(seed, kSpaceOrder, number)),
          order_(reachable_, seed_) {}

    std::uint64_t groups() const { return reachable_; }
    bool is_whole() const { return stride_ == 1; }
    const ProblemSpace& space() const { return *space_; }

    std::uint64_t group_at(std::uint64_t position) const { return order_.at(position); }

    // `turns` is odd for the twin of what an even number gives.
    ProblemRow problem(std::uint64_t group, unsigned turns) const {
        const bool first_turned = (CounterRandom(seed_of(seed_, kTurn), group).next() & 1U) != 0;
        const bool turned = space_->has_twins() && (first_turned != (turns % 2 == 1));
        return space_->problem(
            wide_group(group), turned, CounterRandom(seed_of(seed_, kProblem), group)
        );
    }

private:
    static constexpr Wide kReachableMax = Wide{1} << 56U;

    Wide wide_group(std::uint64_t group) const {
        if (is_whole()) {
            return group;
        }
        CounterRandom random(seed_of(seed_, kStratum), group);
        const Wide offset = (Wide{random.next()} << 64U) | random.next();
        return Wide{group} * stride_ + offset % stride_;
    }

    std::unique_ptr<ProblemSpace> space_;
    std::uint64_t reachable_;
    Wide stride_;
    std::uint64_t seed_;
    IndexPermutation order_;
};

std::uint64_t groups_in(const std::vector<ShuffledSpace>& spaces) {
    std::uint64_t groups = 0;
    for (const ShuffledSpace& space : spaces) {
        groups += space.groups();
    }
    return groups;
}

struct Place {
    std::size_t space = 0;
    std::uint64_t position = 0;
};

// Deals numbers out to the spaces in turn; a space that is used up drops out.
class Dealer {
public:
    explicit Dealer(const std::vector<ShuffledSpace>& spaces) {
        for (std::size_t i = 0; i < spaces.size(); ++i) {
            by_size_.push_back({i, spaces[i].groups()});
        }
        std::ranges::sort(by_size_, {}, [](const Place& place) {
            return std::pair(place.position, place.space);
        });
    }

    Place at(std::uint64_t number) const {
        std::uint64_t dealt_each = 0;
        for (std::size_t gone = 0; gone < by_size_.size(); ++gone) {
            const std::uint64_t in_turn = by_size_.size() - gone;
            const std::uint64_t rounds = by_size_[gone].position - dealt_each;
            if (number / in_turn < rounds) {
                return {
                    by_size_[gone + number % in_turn].space,
                    dealt_each + number / in_turn,
                };
            }
            number -= rounds * in_turn;
            dealt_each += rounds;
        }
        NEXA_CHECK(false && "a number beyond all spaces");
        return {};
    }

private:
    std::vector<Place> by_size_;  // of each space: its index and how many groups it has
};

}  // namespace

std::string_view to_string(Domain domain) {
    return row_of(domain).name;
}

std::optional<Domain> domain_from(std::string_view name) {
    const auto found = std::ranges::find(kDomains, name, &DomainRow::name);
    return found == kDomains.end() ? std::nullopt : std::optional(found->domain);
}

std::string_view to_string(Split split) {
    constexpr std::array<std::string_view, 3> kNames{"train", "validation", "test"};
    return kNames[static_cast<std::size_t>(split)];
}

// Validation, test, then train take the rows in a random order, one row for each group, so a group
// is in one split. Where that is too few, every group is dealt, and train also takes the twins of
// its own rows.
struct ProblemSet::Impl {
    Impl(std::vector<ShuffledSpace> all_spaces, SplitSizes split_sizes, std::uint64_t seed)
        : spaces(std::move(all_spaces)),
          sizes(split_sizes),
          groups(groups_in(spaces)),
          rows_without_twins(std::min(wanted(), groups)),
          dealer(spaces),
          row_order(rows_without_twins, seed_of(seed, kRowOrder)),
          train_order(static_cast<std::uint64_t>(sizes.train), seed_of(seed, kTrainOrder)) {}

    // In this order: each is made of those before it.
    std::vector<ShuffledSpace> spaces;
    SplitSizes sizes;
    std::uint64_t groups;  // in all spaces
    std::uint64_t rows_without_twins;
    Dealer dealer;
    IndexPermutation row_order;
    IndexPermutation train_order;
    std::vector<std::uint64_t> twinless;  // row positions of groups that are their own twin, rising

    std::uint64_t held_out() const {
        return static_cast<std::uint64_t>(sizes.validation) +
               static_cast<std::uint64_t>(sizes.test);
    }
    std::uint64_t wanted() const { return held_out() + static_cast<std::uint64_t>(sizes.train); }
    // Every group is dealt then, so groups are numbered space after space.
    bool uses_twins() const { return wanted() > groups; }

    std::uint64_t find_twins();
    ProblemRow row_at(std::uint64_t position, unsigned turns) const;
    ProblemRow train_row(std::uint64_t i) const;
};

// How many twins train may take. Called only when there are fewer groups than rows.
std::uint64_t ProblemSet::Impl::find_twins() {
    const bool any_has_twins = std::ranges::any_of(spaces, [](const ShuffledSpace& space) {
        return space.space().has_twins();
    });
    if (!any_has_twins) {
        return 0;
    }
    std::uint64_t first = 0;  // row number of the space's first group
    for (std::size_t s = 0; s < spaces.size(); ++s) {
        const ProblemSpace& space = spaces[s].space();
        const bool has_twins = space.has_twins();
        for (std::uint64_t group = 0; !has_twins && group < spaces[s].groups(); ++group) {
            twinless.push_back(row_order.position_of(first + group));
        }
        for (std::uint64_t k = 0; has_twins && k < space.self_twins(); ++k) {
            twinless.push_back(
                row_order.position_of(first + static_cast<std::uint64_t>(space.self_twin(k)))
            );
        }
        first += spaces[s].groups();
    }
    std::erase_if(twinless, [&](std::uint64_t position) { return position < held_out(); });
    std::ranges::sort(twinless);
    return groups - held_out() - twinless.size();
}

ProblemRow ProblemSet::Impl::row_at(std::uint64_t position, unsigned turns) const {
    std::uint64_t number = row_order.at(position);
    if (!uses_twins()) {
        const Place place = dealer.at(number);
        const ShuffledSpace& space = spaces[place.space];
        return space.problem(space.group_at(place.position), turns);
    }
    std::size_t s = 0;
    while (number >= spaces[s].groups()) {
        number -= spaces[s].groups();
        ++s;
    }
    return spaces[s].problem(number, turns);
}

ProblemRow ProblemSet::Impl::train_row(std::uint64_t i) const {
    const std::uint64_t number = train_order.at(i);
    const std::uint64_t own = rows_without_twins - held_out();
    if (number < own) {
        return row_at(held_out() + number, 0);
    }
    // The twin of the n-th train row that has one: as many positions on as twinless rows lie
    // before.
    const std::uint64_t low = number - own + held_out();
    std::uint64_t position = low;
    for (;;) {
        const auto before = static_cast<std::uint64_t>(
            std::ranges::upper_bound(twinless, position) - twinless.begin()
        );
        if (position == low + before) {
            return row_at(position, 1);
        }
        position = low + before;
    }
}

ProblemSet::ProblemSet(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
ProblemSet::ProblemSet(ProblemSet&&) noexcept = default;
ProblemSet& ProblemSet::operator=(ProblemSet&&) noexcept = default;
ProblemSet::~ProblemSet() = default;

Result<ProblemSet> ProblemSet::create(
    const ProblemSpec& spec, SplitSizes sizes, std::uint64_t seed
) {
    constexpr std::int64_t kRowsMax = 100'000'000;
    for (const std::int64_t size : {sizes.train, sizes.validation, sizes.test}) {
        if (size < 0 || size > kRowsMax) {
            return Error::invalid_argument("must be 0 to {} rows, is {}", kRowsMax, size)
                .at("sizes");
        }
    }
    auto spaces = row_of(spec.domain).spaces(spec);
    if (!spaces) {
        return std::move(spaces).error().at(to_string(spec.domain));
    }
    std::vector<ShuffledSpace> shuffled;
    shuffled.reserve(spaces->size());
    for (std::unique_ptr<ProblemSpace>& space : *spaces) {
        shuffled.emplace_back(std::move(space), seed, shuffled.size());
    }
    auto impl = std::make_unique<Impl>(std::move(shuffled), sizes, seed);
    if (impl->held_out() > impl->groups) {
        return Error::invalid_argument(
                   "asked for {} validation and test rows, but only {} distinct problems exist",
                   impl->held_out(),
                   impl->groups
        )
            .at("sizes")
            .hint("ask for fewer rows or for larger problems");
    }
    if (impl->uses_twins()) {
        const std::uint64_t train_max = impl->groups - impl->held_out() + impl->find_twins();
        if (static_cast<std::uint64_t>(sizes.train) > train_max) {
            return Error::invalid_argument(
                       "asked for {} train rows, but only {} exist beside {} validation and {} "
                       "test rows",
                       sizes.train,
                       train_max,
                       sizes.validation,
                       sizes.test
            )
                .at("sizes")
                .hint("ask for fewer rows or for larger problems");
        }
    }
    return ProblemSet(std::move(impl));
}

std::int64_t ProblemSet::size(Split split) const {
    switch (split) {
        case Split::kTrain:
            return impl_->sizes.train;
        case Split::kValidation:
            return impl_->sizes.validation;
        case Split::kTest:
            break;
    }
    return impl_->sizes.test;
}

ProblemRow ProblemSet::row(Split split, std::int64_t i) const {
    NEXA_CHECK(i >= 0 && i < size(split));
    const auto number = static_cast<std::uint64_t>(i);
    switch (split) {
        case Split::kTrain:
            return impl_->train_row(number);
        case Split::kValidation:
            return impl_->row_at(number, 0);
        case Split::kTest:
            break;
    }
    return impl_->row_at(static_cast<std::uint64_t>(impl_->sizes.validation) + number, 0);
}

Result<Verdict> verify(
    Domain domain, std::string_view prompt, std::string_view answer, AnswerOrder order
) {
    TRY(std::string expected, row_of(domain).solve(prompt));
    if (order == AnswerOrder::kReversed) {
        std::ranges::reverse(expected);
    }
    return Verdict{.correct = trimmed(answer) == expected, .expected = std::move(expected)};
}

}  // namespace nexa::data
