// SPDX-License-Identifier: Apache-2.0
#include "core/ids.h"

#include <algorithm>
#include <array>
#include <set>
#include <thread>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/manual_clock.h"
#include "fakes/seeded_random.h"

namespace nexa {
namespace {

using fakes::ManualClock;
using fakes::SeededRandom;
using namespace std::chrono_literals;

static_assert(!std::is_convertible_v<JobId, DatasetId>);
static_assert(!std::is_constructible_v<JobId, std::string>);
static_assert(std::is_convertible_v<DatasetId, ArtifactId>);
static_assert(!std::is_constructible_v<ArtifactId, JobId>);

/// All bits set, or all clear.
class ConstantRandom final : public Random {
public:
    explicit ConstantRandom(std::uint8_t value) : value_(std::byte{value}) {}
    void fill(std::span<std::byte> bytes) override { std::ranges::fill(bytes, value_); }

private:
    std::byte value_;
};

template <class T>
class EveryId : public ::testing::Test {};
using AllIds = ::testing::Types<
    JobId,
    DatasetId,
    CheckpointId,
    EvalId,
    DeploymentId,
    WorkerId,
    KeyId,
    UserId,
    ProjectId,
    RequestId>;
TYPED_TEST_SUITE(EveryId, AllIds);

TYPED_TEST(EveryId, IsMadeWithItsPrefixAndParsesBack) {
    ManualClock clock;
    SeededRandom random;
    IdSource ids(clock, random);
    const TypeParam id = ids.make<TypeParam>();
    EXPECT_TRUE(id.text().starts_with(TypeParam::kPrefix));
    EXPECT_EQ(id.text().size(), TypeParam::kPrefix.size() + 32);
    EXPECT_EQ(TypeParam::parse(id.text()).value(), id);
    EXPECT_FALSE(id.empty());
    EXPECT_TRUE(TypeParam().empty());
}

TEST(Ids, NoPrefixIsTheStartOfAnother) {
    const std::array prefixes{
        JobId::kPrefix,
        DatasetId::kPrefix,
        CheckpointId::kPrefix,
        EvalId::kPrefix,
        DeploymentId::kPrefix,
        WorkerId::kPrefix,
        KeyId::kPrefix,
        UserId::kPrefix,
        ProjectId::kPrefix,
        RequestId::kPrefix,
    };
    for (const auto one : prefixes) {
        const auto starts = [one](std::string_view other) { return other.starts_with(one); };
        EXPECT_EQ(std::ranges::count_if(prefixes, starts), 1) << one;
    }
}

TEST(Ids, TakeWhatOthersChose) {
    for (const char* text : {"ds_123", "ds_123d", "ds_a-B_9", "ds_x"}) {
        EXPECT_EQ(DatasetId::parse(text).value().text(), text);
    }
    EXPECT_EQ(JobId::parse("job_train_001").value().text(), "job_train_001");
}

TEST(Ids, HoldOneTo64CharactersBehindThePrefix) {
    EXPECT_FALSE(JobId::parse("job_"));
    EXPECT_TRUE(JobId::parse("job_" + std::string(64, 'a')));
    EXPECT_FALSE(JobId::parse("job_" + std::string(65, 'a')));
}

TEST(Ids, RefuseWhatIsNoIdOfTheKind) {
    const std::string with_nul("job_a\0b", 7);
    for (const std::string& text : std::vector<std::string>{
             "",
             "job",
             "ds_123",
             "JOB_1",
             " job_1",
             "job_1 ",
             "job_a/b",
             "job_..",
             "job_\xc3\xa9",
             "job_a\n",
             with_nul
         }) {
        const auto id = JobId::parse(text);
        ASSERT_FALSE(id) << text;
        EXPECT_EQ(id.error().code, ErrorCode::kInvalidArgument);
        EXPECT_NE(id.error().message.find("'job_'"), std::string::npos) << id.error().message;
    }
}

TEST(Ids, RefusalsShowAPrintableStartOfTheText) {
    const std::string message = JobId::parse("\x1b[31m" + std::string(5'000, 'z')).error().message;
    EXPECT_LT(message.size(), 150U);
    EXPECT_NE(message.find("'?[31mzzz"), std::string::npos) << message;
    EXPECT_NE(message.find("zzz…'"), std::string::npos) << message;
}

TEST(Ids, CanBeFormattedHashedAndOrdered) {
    const JobId a = JobId::parse("job_a").value();
    const JobId b = JobId::parse("job_b").value();
    EXPECT_EQ(fmt::format("job {} waits", a), "job job_a waits");
    EXPECT_EQ(fmt::format("[{:>7}]", a), "[  job_a]");
    EXPECT_LT(a, b);
    EXPECT_NE(a, b);
    const std::unordered_set<JobId> set{a, b, a};
    EXPECT_EQ(set.size(), 2U);
}

TEST(ArtifactId, IsAnyOfTheFourKinds) {
    for (const char* text : {"ds_1", "ckpt_1", "ev_1", "dp_1"}) {
        EXPECT_EQ(ArtifactId::parse(text).value().text(), text);
    }
    const auto refused = ArtifactId::parse("job_1");
    ASSERT_FALSE(refused);
    EXPECT_EQ(
        refused.error().message, "id 'job_1' does not start with 'ds_' or 'ckpt_' or 'ev_' or 'dp_'"
    );
    EXPECT_FALSE(ArtifactId::parse("ds_"));
}

TEST(ArtifactId, KnowsItsKind) {
    const ArtifactId id = CheckpointId::parse("ckpt_456").value();
    EXPECT_EQ(id.as<CheckpointId>()->text(), "ckpt_456");
    EXPECT_FALSE(id.as<DatasetId>());
    EXPECT_FALSE(ArtifactId().as<DatasetId>());
    EXPECT_EQ(id, ArtifactId::parse("ckpt_456").value());
    EXPECT_EQ(fmt::format("{}", id), "ckpt_456");
    EXPECT_EQ(std::unordered_set<ArtifactId>({id, id}).size(), 1U);
}

TEST(IdSource, WritesAUuidOfVersion7) {
    ManualClock clock(Timestamp{0x017f22e279b0ms});
    ConstantRandom ones(0xff);
    // The fields of RFC 9562: 48 bits of milliseconds, version 7, 12 random bits (the first kept
    // clear for counting), variant 0b10, 62 random bits.
    EXPECT_EQ(IdSource(clock, ones).make<JobId>().text(), "job_017f22e279b077ffbfffffffffffffff");
    ConstantRandom zeros(0);
    EXPECT_EQ(IdSource(clock, zeros).make<JobId>().text(), "job_017f22e279b070008000000000000000");
}

TEST(IdSource, RisesWithinAMillisecondAndWhenTheClockGoesBack) {
    ManualClock clock;
    SeededRandom random;
    IdSource ids(clock, random);
    JobId last = ids.make<JobId>();
    for (int i = 0; i < 10'000; ++i) {
        if (i == 5'000) {
            clock.set_wall(clock.now() - 24h);
        }
        JobId next = ids.make<JobId>();
        ASSERT_LT(last, next);
        last = std::move(next);
    }
    const std::string at_start = last.text().substr(4, 12);
    EXPECT_EQ(std::stoull(at_start, nullptr, 16), 1'763'665'200'000U);
    clock.set_wall(ManualClock::kStart + 1ms);
    EXPECT_EQ(std::stoull(ids.make<JobId>().text().substr(4, 12), nullptr, 16), 1'763'665'200'001U);
}

TEST(IdSource, RisesOverTheEndOfTheCounterIntoTheNextMillisecond) {
    ManualClock clock(Timestamp{16ms});
    ConstantRandom ones(0xff);  // the longest step: 2^32 a time, from the highest start
    IdSource ids(clock, ones);
    std::string last = ids.make<JobId>().text();
    EXPECT_EQ(last, "job_00000000001077ffbfffffffffffffff");
    const std::string carried = ids.make<JobId>().text();
    EXPECT_EQ(carried, "job_000000000010780080000000ffffffff");
    EXPECT_LT(last, carried);
}

TEST(IdSource, WorksBefore1970AndFarAhead) {
    ManualClock clock(Timestamp{-5s});
    SeededRandom random;
    EXPECT_TRUE(IdSource(clock, random).make<JobId>().text().starts_with("job_0000000000007"));
    clock.set_wall(Timestamp{std::chrono::milliseconds{0xffffffffffff}});
    EXPECT_TRUE(IdSource(clock, random).make<JobId>().text().starts_with("job_ffffffffffff7"));
    clock.advance(1h);  // past the 48 bits
    IdSource ids(clock, random);
    const JobId first = ids.make<JobId>();
    EXPECT_TRUE(first.text().starts_with("job_ffffffffffff7"));
    EXPECT_LT(first, ids.make<JobId>());
}

TEST(IdSource, GivesEveryThreadItsOwnIds) {
    ManualClock clock;
    SeededRandom random;
    IdSource ids(clock, random);
    std::array<std::vector<JobId>, 4> made;
    {
        std::vector<std::jthread> threads;
        for (auto& mine : made) {
            threads.emplace_back([&mine, &ids] {
                for (int i = 0; i < 2'000; ++i) {
                    mine.push_back(ids.make<JobId>());
                }
            });
        }
    }
    std::set<JobId> all;
    for (const auto& mine : made) {
        EXPECT_TRUE(std::ranges::is_sorted(mine));
        all.insert(mine.begin(), mine.end());
    }
    EXPECT_EQ(all.size(), 8'000U);
}

}  // namespace
}  // namespace nexa
