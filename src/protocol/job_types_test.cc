// SPDX-License-Identifier: Apache-2.0
#include "protocol/job_types.h"

#include <set>

#include <gtest/gtest.h>

namespace nexa::protocol {
namespace {

TEST(JobTypes, EveryExampleIsAcceptedAndItsCanonicalFormIsAFixedPoint) {
    for (const JobTypeRow& type : job_types()) {
        const auto once = type.canonical(type.example);
        ASSERT_TRUE(once) << type.name << ": " << once.error().to_string();
        const auto twice = type.canonical(once->text);
        ASSERT_TRUE(twice) << type.name;
        EXPECT_EQ(once->text, twice->text) << type.name;
    }
}

TEST(JobTypes, HaveASchemaASummaryAndANameOfTheirOwn) {
    std::set<std::string_view> names;
    for (const JobTypeRow& type : job_types()) {
        EXPECT_TRUE(names.insert(type.name).second) << type.name;
        EXPECT_FALSE(type.summary.empty()) << type.name;
        EXPECT_NE(type.schema().find("\"properties\""), std::string::npos) << type.name;
    }
}

TEST(JobTypes, BothDocumentsNamesAreOneField) {
    const JobTypeRow& train = **find_job_type("train");
    const auto first =
        train.canonical(R"({"dataset_uri":"ds_1","model_id":"nexa-small","epochs":3})");
    const auto second = train.canonical(R"({"dataset_id":"ds_1","model":"nexa-small","epochs":3})");
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->text, second->text);
}

TEST(JobTypes, TwoNamesForOneFieldWithDifferentValuesAreRefused) {
    const JobTypeRow& train = **find_job_type("train");
    const auto both =
        train.canonical(R"({"dataset_uri":"ds_1","dataset_id":"ds_2","model":"m","epochs":3})");
    ASSERT_FALSE(both);
    EXPECT_EQ(both.error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(
        train.canonical(R"({"dataset_uri":"ds_1","dataset_id":"ds_1","model":"m","epochs":3})")
    );
}

TEST(JobTypes, AMissingOrMisspelledFieldIsNamed) {
    const JobTypeRow& audit = **find_job_type("audit");
    EXPECT_EQ(audit.canonical("{}").error().param, "dataset_uri");
    const auto misspelled = audit.canonical(R"({"dataset_uri":"ds_1","tokeniser":"x"})");
    ASSERT_FALSE(misspelled);
    EXPECT_NE(misspelled.error().to_string().find("tokenizer"), std::string::npos);
}

TEST(JobTypes, AnUnknownTypeIsAnsweredWithTheNearNameAndNeverAHiddenOne) {
    const auto missing = find_job_type("trian");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
    EXPECT_NE(missing.error().advice.find("did you mean 'train'"), std::string::npos);
    EXPECT_EQ(missing.error().advice.find("echo"), std::string::npos);
}

TEST(JobTypes, ReferencesAreTheInputsOfTheSpec) {
    const JobTypeRow& train = **find_job_type("train");
    const auto payload = train.canonical(R"({"dataset_id":"ds_1","model":"ckpt_2","epochs":1})");
    ASSERT_TRUE(payload);
    const auto references = train.references(*payload);
    ASSERT_EQ(references.size(), 2U);
    EXPECT_EQ(references[0].input, "dataset");
    EXPECT_EQ(references[0].text, "ds_1");
    EXPECT_EQ(references[1].input, "model");
    EXPECT_EQ(references[1].field, "model_id");
}

TEST(ArtifactId, IsTheSameForEveryAttemptOfAJob) {
    EXPECT_EQ(artifact_id_of("job_0199ab", "dataset"), "ds_0199ab");
    EXPECT_EQ(artifact_id_of("job_0199ab", "distill"), "ds_0199ab");
    EXPECT_EQ(artifact_id_of("job_0199ab", "checkpoint"), "ckpt_0199ab");
    EXPECT_EQ(artifact_id_of("job_0199ab", "eval"), "ev_0199ab");
    EXPECT_EQ(artifact_id_of("job_0199ab", "deployment"), "dp_0199ab");
    EXPECT_EQ(artifact_folder("checkpoint"), "checkpoints");
    EXPECT_EQ(artifact_folder("cat"), "");
}

}  // namespace
}  // namespace nexa::protocol
