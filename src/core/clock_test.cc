// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"

#include <gtest/gtest.h>

namespace nexa {
namespace {

Timestamp at(std::int64_t microseconds) {
    return Timestamp{std::chrono::microseconds{microseconds}};
}

TEST(Rfc3339, PrintsUtcMilliseconds) {
    EXPECT_EQ(to_rfc3339(at(0)), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(to_rfc3339(at(1'763'665'200'123'456)), "2025-11-20T19:00:00.123Z");
    EXPECT_EQ(to_rfc3339(at(-1'000)), "1969-12-31T23:59:59.999Z");
}

TEST(Rfc3339, ReadsWhatItPrints) {
    const Timestamp time = at(1'763'665'200'123'000);
    EXPECT_EQ(parse_rfc3339(to_rfc3339(time)).value(), time);
}

TEST(Rfc3339, ReadsOffsetsFractionsAndLeapSeconds) {
    EXPECT_EQ(parse_rfc3339("2025-11-20T20:30:00+01:30").value(), at(1'763'665'200'000'000));
    EXPECT_EQ(parse_rfc3339("2025-11-20T19:00:00.1Z").value(), at(1'763'665'200'100'000));
    EXPECT_EQ(parse_rfc3339("2025-11-20T19:00:00.123456789Z").value(), at(1'763'665'200'123'456));
    EXPECT_EQ(
        parse_rfc3339("2016-12-31T23:59:60Z").value(), parse_rfc3339("2017-01-01T00:00:00Z").value()
    );
}

TEST(Rfc3339, RefusesWhatIsNoTime) {
    for (const char* text : {
             "",
             "2025-11-20",
             "2025-11-20T19:00:00",
             "2025-02-29T00:00:00Z",
             "2025-13-01T00:00:00Z",
             "2025-11-20T24:00:00Z",
             "2025-11-20T19:60:00Z",
             "2025-11-20T19:00:00.Z",
             "2025-11-20T19:00:00Zx",
             "2025-11-20T19:00:00.1234567890Z",
             "2025-11-20T19:00:00+25:00",
             "20x5-11-20T19:00:00Z",
         }) {
        EXPECT_EQ(parse_rfc3339(text).error().code, ErrorCode::kInvalidArgument) << text;
    }
}

TEST(SystemClock, GoesForward) {
    const SystemClock clock;
    const auto before = clock.steady_now();
    EXPECT_GT(clock.now(), at(1'700'000'000'000'000));
    EXPECT_GE(clock.steady_now(), before);
}

}  // namespace
}  // namespace nexa
