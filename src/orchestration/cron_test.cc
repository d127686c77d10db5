// SPDX-License-Identifier: Apache-2.0
#include "orchestration/cron.h"

#include <gtest/gtest.h>

#include <vector>

namespace nexa::orchestration {
namespace {

Timestamp at(std::string_view text) {
    return parse_rfc3339(text).value();
}

/// The next `count` times, as text in UTC.
std::vector<std::string> next(
    std::string_view cron, const std::string& zone, std::string_view after, int count
) {
    const Cron parsed = Cron::parse(cron).value();
    const TimeZone found = TimeZone::find(zone).value();
    std::vector<std::string> times;
    std::optional<Timestamp> time = at(after);
    for (int i = 0; i < count; ++i) {
        time = next_after(parsed, found, *time);
        if (!time) {
            break;
        }
        times.push_back(to_rfc3339(*time).substr(0, 16));
    }
    return times;
}

using Times = std::vector<std::string>;

TEST(Cron, FieldsTakeListsRangesStepsAndNames) {
    EXPECT_EQ(
        next("*/20 9-10 * * mon-fri", "UTC", "2026-11-20T09:30:00Z", 5),  // a Friday
        (Times{
            "2026-11-20T09:40",
            "2026-11-20T10:00",
            "2026-11-20T10:20",
            "2026-11-20T10:40",
            "2026-11-23T09:00"
        })
    );
    EXPECT_EQ(
        next("5/25,3 0 1 JAN,Jul *", "UTC", "2026-01-01T00:05:00Z", 4),
        (Times{"2026-01-01T00:30", "2026-01-01T00:55", "2026-07-01T00:03", "2026-07-01T00:05"})
    );
    EXPECT_EQ(
        next("0 0 * * 7", "UTC", "2026-11-20T00:00:00Z", 2),
        next("0 0 * * sun", "UTC", "2026-11-20T00:00:00Z", 2)
    );
    EXPECT_EQ(next("@monthly", "UTC", "2026-11-20T00:00:00Z", 1), Times{"2026-12-01T00:00"});
    EXPECT_EQ(next("@Hourly", "UTC", "2026-11-20T00:30:00Z", 1), Times{"2026-11-20T01:00"});
}

TEST(Cron, ItIsTheNextTimeNeverThisOne) {
    EXPECT_EQ(next("* * * * *", "UTC", "2026-11-20T00:00:00Z", 1), Times{"2026-11-20T00:01"});
    EXPECT_EQ(
        next("* * * * *", "UTC", "2026-11-20T00:00:59.999999Z", 1), Times{"2026-11-20T00:01"}
    );
}

TEST(Cron, ADayThatFitsEitherKindWillDo) {
    // The 13th, and every Friday.
    EXPECT_EQ(
        next("0 0 13 * fri", "UTC", "2026-11-06T12:00:00Z", 3),
        (Times{"2026-11-13T00:00", "2026-11-20T00:00", "2026-11-27T00:00"})
    );
    // With a star in one of them both have to fit: Fridays with an odd number.
    EXPECT_EQ(
        next("0 0 */2 * fri", "UTC", "2026-11-01T00:00:00Z", 2),
        (Times{"2026-11-13T00:00", "2026-11-27T00:00"})
    );
}

TEST(Cron, WhatComesOnlyInLeapYearsComesAndWhatNeverComesIsSaid) {
    EXPECT_EQ(next("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", 1), Times{"2028-02-29T00:00"});
    EXPECT_EQ(next("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 1), Times{"2104-02-29T00:00"});
    EXPECT_TRUE(next("0 0 30 2 *", "UTC", "2026-01-01T00:00:00Z", 1).empty());
    EXPECT_TRUE(next("* * 31 4,6,9,11 *", "Europe/Berlin", "2026-01-01T00:00:00Z", 1).empty());
}

TEST(Cron, TimesAreThoseOfTheZonesClocks) {
    EXPECT_EQ(
        next("30 3 * * *", "Asia/Kathmandu", "2026-11-20T00:00:00Z", 1), Times{"2026-11-20T21:45"}
    );
    EXPECT_EQ(
        next("0 9 * * *", "America/New_York", "2026-07-01T00:00:00Z", 1), Times{"2026-07-01T13:00"}
    );
}

TEST(Cron, WhereClocksGoForwardWhatFallsIntoTheGapRunsAtItsEnd) {
    // Berlin, 2026-03-29: 02:00 becomes 03:00 at 01:00 UTC.
    EXPECT_EQ(
        next("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
        (Times{"2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"})
    );
    EXPECT_EQ(
        next("0,30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
        (Times{"2026-03-29T01:00", "2026-03-30T00:00"})
    ) << "once, not once for each time in the gap";
}

TEST(Cron, WhereClocksGoBackWhatFallsIntoTheDoubledHourRunsOnce) {
    // Berlin, 2026-10-25: 03:00 becomes 02:00 at 01:00 UTC.
    EXPECT_EQ(
        next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
        (Times{"2026-10-25T00:30", "2026-10-26T01:30"})
    );
    EXPECT_EQ(
        next("30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", 1), Times{"2026-10-26T01:30"}
    ) << "asked for in the doubled hour itself";
}

TEST(Cron, WhatRunsInEveryHourGoesByTheTimeThatPasses) {
    EXPECT_EQ(
        next("30 * * * *", "Europe/Berlin", "2026-10-24T23:40:00Z", 3),
        (Times{"2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"})
    );
    EXPECT_EQ(
        next("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", 2),
        (Times{"2026-03-29T01:00", "2026-03-29T01:30"})
    );
    // Lord Howe Island moves by half an hour: 02:00 becomes 01:30 on 2026-04-05 (15:00 UTC before).
    EXPECT_EQ(
        next("45 * * * *", "Australia/Lord_Howe", "2026-04-04T14:30:00Z", 3),
        (Times{"2026-04-04T14:45", "2026-04-04T15:15", "2026-04-04T16:15"})
    );
}

TEST(Cron, WhatIsWrongIsNamed) {
    const auto message = [](std::string_view text) {
        const auto parsed = Cron::parse(text);
        return parsed ? "taken" : parsed.error().message;
    };
    EXPECT_NE(message("* * * *").find("five fields"), std::string::npos);
    EXPECT_NE(message("60 * * * *").find("minute must be 0 to 59"), std::string::npos);
    EXPECT_NE(message("* 24 * * *").find("hour"), std::string::npos);
    EXPECT_NE(message("* * 0 * *").find("day of the month"), std::string::npos);
    EXPECT_NE(message("* * * foo *").find("'foo'"), std::string::npos);
    EXPECT_NE(message("* * * * fri-mon").find("runs backwards"), std::string::npos);
    EXPECT_NE(message("*/0 * * * *").find("step"), std::string::npos);
    EXPECT_NE(message("1, * * * *").find("''"), std::string::npos);
    EXPECT_NE(message("-1 * * * *").find("minute"), std::string::npos);
    EXPECT_NE(message("").find("has 0"), std::string::npos);
    EXPECT_NE(message("@fortnightly").find("five fields"), std::string::npos);
    EXPECT_NE(message("99999999999999999999 * * * *").find("minute"), std::string::npos);
}

TEST(Cron, AZoneThatIsNotThereIsSaid) {
    EXPECT_EQ(TimeZone::find("Europe/Atlantis").error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(TimeZone::find(""));
    EXPECT_FALSE(TimeZone::find("../../etc/passwd"));
}

}  // namespace
}  // namespace nexa::orchestration
