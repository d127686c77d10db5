// SPDX-License-Identifier: Apache-2.0
#include "api/topic_feed.h"

#include <gtest/gtest.h>

namespace nexa::api {
namespace {

TEST(Topics, AreReadFromAListAndRefusedByName) {
    const auto topics = parse_topics("jobs,job:job_0199,workers,job:job_2");
    ASSERT_TRUE(topics) << topics.error().to_string();
    EXPECT_TRUE(topics->all_jobs);
    EXPECT_TRUE(topics->all_workers);
    ASSERT_EQ(topics->jobs.size(), 2U);
    EXPECT_EQ(topics->jobs[1].text(), "job_2");
    EXPECT_EQ(parse_topics("job").error().advice, "did you mean jobs?");
    for (const char* text : {"", "jobs,", "everything", "job:", "job:../x"}) {
        const auto refused = parse_topics(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().param, "topics");
    }
    std::string many = "jobs";
    for (std::size_t i = 0; i < kTopicsMax; ++i) {
        many += ",jobs";
    }
    EXPECT_FALSE(parse_topics(many));
}

TEST(Topics, APlaceIsReadAsItWasWritten) {
    const TopicPlaces places{{"job_a", 0}, {"job_b", 12}};
    EXPECT_EQ(to_text(places), "job_a:0,job_b:12");
    EXPECT_EQ(parse_topic_places("job_a:0,job_b:12").value(), places);
    EXPECT_TRUE(parse_topic_places("")->empty());
    for (const char* text :
         {"7", "job_a", "job_a:", "job_a:x", "job_a:-1", "job_a:1,", "job_a:1x"}) {
        EXPECT_FALSE(parse_topic_places(text)) << text;
    }
}

}  // namespace
}  // namespace nexa::api
