// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

#include "data/problem_space_internal.h"

namespace nexa::data::internal {
namespace {

using Day = std::chrono::sys_days;

constexpr std::array<std::string_view, 7> kWeekdays{
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"
};

std::string shown(Day day) {
    const std::chrono::year_month_day date(day);
    return fmt::format(
        "{:04}-{:02}-{:02}",
        static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day())
    );
}

std::string_view weekday_of(Day day) {
    return kWeekdays[std::chrono::weekday(day).c_encoding()];
}

Day after(Day day, std::int64_t days) {
    return day + std::chrono::days(days);
}

// First day and distance, numbered together.
class DateSpace final : public ProblemSpace {
public:
    DateSpace(DateQuestion question, const DateOptions& options)
        : question_(question),
          first_(std::chrono::year(options.year_min) / std::chrono::January / 1),
          days_(static_cast<std::uint64_t>(
              (Day(std::chrono::year(options.year_max + 1) / std::chrono::January / 1) - first_)
                  .count()
          )),
          distances_(
              question == DateQuestion::kWeekday ? 1 : static_cast<std::uint64_t>(options.days_max)
          ) {}

    Wide groups() const override { return Wide{days_} * distances_; }

    ProblemRow problem(Wide group, bool /*turned*/, CounterRandom /*random*/) const override {
        const Day from = after(first_, static_cast<std::int64_t>(group / distances_));
        const std::int64_t distance = static_cast<std::int64_t>(group % distances_) + 1;
        const auto row = [](std::string prompt, std::string answer, std::string question) {
            return ProblemRow{
                std::move(prompt),
                std::move(answer),
                {{"domain", "dates"}, {"question", std::move(question)}},
            };
        };
        switch (question_) {
            case DateQuestion::kAddDays:
                return row(
                    fmt::format("{} + {} days=", shown(from), distance),
                    shown(after(from, distance)),
                    "add_days"
                );
            case DateQuestion::kDifference:
                return row(
                    fmt::format("days from {} to {}=", shown(from), shown(after(from, distance))),
                    std::to_string(distance),
                    "difference"
                );
            case DateQuestion::kWeekday:
                break;
        }
        return row(
            fmt::format("weekday of {}=", shown(from)), std::string(weekday_of(from)), "weekday"
        );
    }

private:
    DateQuestion question_;
    Day first_;
    std::uint64_t days_;
    std::uint64_t distances_;
};

// "2024-02-29" at the start of `text`, taken off.
std::optional<Day> take_date(std::string_view& text) {
    std::int64_t year = 0;
    std::int64_t month = 0;
    std::int64_t day = 0;
    const auto take = [&text](std::size_t digits, std::int64_t& number) {
        const std::size_t before = text.size();
        return take_number(text, digits, number) && before - text.size() == digits;
    };
    const auto take_dash = [&text] {
        const bool is_dash = text.starts_with('-');
        text.remove_prefix(is_dash ? 1 : 0);
        return is_dash;
    };
    if (!take(4, year) || !take_dash() || !take(2, month) || !take_dash() || !take(2, day)) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date(
        std::chrono::year(static_cast<int>(year)),
        std::chrono::month(static_cast<unsigned>(month)),
        std::chrono::day(static_cast<unsigned>(day))
    );
    return date.ok() ? std::optional(Day(date)) : std::nullopt;
}

std::optional<std::string> solve(std::string_view text) {
    std::string_view rest = text;
    if (strip_frame(rest, "weekday of ")) {
        const auto day = take_date(rest);
        return day && rest.empty() ? std::optional(std::string(weekday_of(*day))) : std::nullopt;
    }
    if (strip_frame(rest, "days from ")) {
        const auto from = take_date(rest);
        constexpr std::string_view kTo = " to ";
        if (!from || !rest.starts_with(kTo)) {
            return std::nullopt;
        }
        rest.remove_prefix(kTo.size());
        const auto to = take_date(rest);
        return to && rest.empty() ? std::optional(std::to_string((*to - *from).count()))
                                  : std::nullopt;
    }
    constexpr std::string_view kPlus = " + ";
    const auto from = take_date(rest);
    std::int64_t days = 0;
    if (!from || !rest.starts_with(kPlus)) {
        return std::nullopt;
    }
    rest.remove_prefix(kPlus.size());
    // Six digits stay within the calendar's years, where every date has one form.
    return take_number(rest, 6, days) && rest == " days=" ? std::optional(shown(after(*from, days)))
                                                          : std::nullopt;
}

}  // namespace

Result<ProblemSpaces> date_spaces(const DateOptions& options) {
    if (options.year_min < 1 || options.year_max > 9990 || options.year_min > options.year_max) {
        return Error::invalid_argument(
                   "years must rise and lie in 1 to 9990, are {} to {}",
                   options.year_min,
                   options.year_max
        )
            .at("year_min");
    }
    if (options.days_max < 1 || options.days_max > 3000) {
        return Error::invalid_argument("must be 1 to 3000, is {}", options.days_max).at("days_max");
    }
    if (options.questions.empty()) {
        return Error::invalid_argument("must name a question").at("questions");
    }
    ProblemSpaces spaces;
    for (const DateQuestion question :
         {DateQuestion::kAddDays, DateQuestion::kDifference, DateQuestion::kWeekday}) {
        if (std::ranges::find(options.questions, question) != options.questions.end()) {
            spaces.push_back(std::make_unique<DateSpace>(question, options));
        }
    }
    return spaces;
}

Result<std::string> solve_dates(std::string_view prompt) {
    std::optional<std::string> answer = solve(prompt);
    if (!answer) {
        return not_a_problem(Domain::kDates, prompt);
    }
    return *std::move(answer);
}

}  // namespace nexa::data::internal
