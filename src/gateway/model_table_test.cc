// SPDX-License-Identifier: Apache-2.0
#include "gateway/model_table.h"

#include <gmock/gmock.h>

namespace nexa::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const Caller kP1{.key_id = "k1", .project_id = "p1"};
const Caller kP2{.key_id = "k2", .project_id = "p2"};
const Caller kEvery{.may_use_all = true};

struct Row {
    std::string id;
    std::string name;
    std::string project = {};
    std::int64_t created = 0;
    bool is_ready = true;
};

class Models : public testing::Test {
protected:
    ModelTable::Model add(const Row& row) {
        auto model = std::make_shared<ServedModel>(ModelSpec{
            .deployment_id = row.id,
            .name = row.name,
            .project_id = row.project,
            .fingerprint = "",
            .created = row.created,
            .folder = "/m",
        });
        if (row.is_ready) {
            model->set_ready(nullptr);
        }
        table.add(model);
        return model;
    }
    std::string found(std::string_view name, const Caller& caller) const {
        const auto model = table.find(name, caller);
        return model ? (*model)->spec().deployment_id : "";
    }
    std::vector<std::string> listed(const Caller& caller) const {
        std::vector<std::string> ids;
        for (const ModelRow& row : table.list(caller)) {
            ids.push_back(row.id);
        }
        return ids;
    }

    ModelTable table;
};

TEST_F(Models, AModelIsFoundByItsNameAndByItsDeployment) {
    add({.id = "dep_1", .name = "a"});
    add({.id = "dep_2", .name = "b"});
    EXPECT_EQ(found("b", kP1), "dep_2");
    EXPECT_EQ(found("dep_1", kP1), "dep_1");
    EXPECT_EQ(found("c", kP1), "");
    EXPECT_EQ(found("", kP1), "");
}

TEST_F(Models, ADeploymentsIdGoesBeforeAnotherModelsName) {
    add({.id = "dep_1", .name = "dep_2", .created = 9});
    add({.id = "dep_2", .name = "b"});
    EXPECT_EQ(found("dep_2", kEvery), "dep_2");
}

TEST_F(Models, AnotherProjectsModelIsNotThereByNameIdListOrHint) {
    add({.id = "dep_1", .name = "secret-model", .project = "p1"});
    add({.id = "dep_2", .name = "open"});
    EXPECT_EQ(found("secret-model", kP1), "dep_1");
    EXPECT_EQ(found("secret-model", kEvery), "dep_1");
    EXPECT_THAT(listed(kP1), ElementsAre("open", "secret-model"));
    EXPECT_THAT(listed(kEvery), ElementsAre("open", "secret-model"));

    EXPECT_EQ(found("dep_1", kP2), "");
    EXPECT_THAT(listed(kP2), ElementsAre("open"));
    const Error other = table.find("secret-model", kP2).error();
    const Error nobody = table.find("secret-mode1", kP2).error();
    EXPECT_EQ(other.advice, nobody.advice);
    EXPECT_THAT(nobody.advice, Not(HasSubstr("secret")));
}

TEST_F(Models, TwoProjectsMayUseOneNameForTheirOwnModels) {
    add({.id = "dep_1", .name = "m", .project = "p1", .created = 1});
    add({.id = "dep_2", .name = "m", .project = "p2", .created = 2});
    EXPECT_EQ(found("m", kP1), "dep_1");
    EXPECT_EQ(found("m", kP2), "dep_2");
    EXPECT_EQ(table.list(kP1).at(0).owned_by, "p1");
}

TEST_F(Models, OfOneNameTheNewestThatIsReadyAnswers) {
    add({.id = "dep_3", .name = "m", .created = 1});
    const auto newer = add({.id = "dep_2", .name = "m", .created = 2});
    const auto newest = add({.id = "dep_1", .name = "m", .created = 3, .is_ready = false});
    EXPECT_EQ(found("m", kEvery), "dep_2");
    newest->set_ready(nullptr);
    EXPECT_EQ(found("m", kEvery), "dep_1");
    newest->set_failed("broken");
    newer->set_failed("broken");
    EXPECT_EQ(found("m", kEvery), "dep_3");
}

TEST_F(Models, OfOneNameWithNoneReadyTheNewestSaysHowItStands) {
    add({.id = "dep_1", .name = "m", .created = 2, .is_ready = false});
    add({.id = "dep_2", .name = "m", .created = 1, .is_ready = false});
    EXPECT_EQ(found("m", kEvery), "dep_1");
}

TEST_F(Models, AnUnknownNameIsNotFoundAtModelWithTheNearOne) {
    add({.id = "dep_1", .name = "llama-small"});
    const Error error = table.find("lama-small", kP1).error();
    EXPECT_EQ(error.code, ErrorCode::kNotFound);
    EXPECT_EQ(error.param, "model");
    EXPECT_THAT(error.advice, HasSubstr("'llama-small'"));
    EXPECT_THAT(table.find("zzz", kP1).error().advice, HasSubstr("/v1/models"));
}

TEST_F(Models, TheListHoldsWhatIsReadyEachNameOnceAsItsNewest) {
    add({.id = "dep_1", .name = "b", .created = 5});
    add({.id = "dep_2", .name = "b", .created = 4});
    add({.id = "dep_3", .name = "b", .created = 6, .is_ready = false});
    add({.id = "dep_4", .name = "a", .is_ready = false});
    add({.id = "dep_5", .name = "A", .created = 1});
    EXPECT_THAT(listed(kEvery), ElementsAre("A", "b"));
    EXPECT_EQ(table.list(kEvery).at(1).created, 5);
    EXPECT_EQ(table.list(kEvery).at(1).owned_by, "nexa");
}

TEST_F(Models, OneIdIsOneModel) {
    add({.id = "dep_1", .name = "a"});
    const auto replaced = add({.id = "dep_1", .name = "b"});
    EXPECT_EQ(found("a", kEvery), "");
    EXPECT_EQ(table.all().size(), 1U);
    EXPECT_EQ(table.remove("dep_1"), replaced);
    EXPECT_EQ(table.remove("dep_1"), nullptr);
    EXPECT_TRUE(table.all().empty());
}

TEST_F(Models, TheyAreCountedByHowTheyStand) {
    add({.id = "1", .name = "a"});
    add({.id = "2", .name = "b", .is_ready = false});
    add({.id = "3", .name = "c"})->set_failed("it fell");
    const auto never = std::make_shared<ServedModel>(ModelSpec{
        .deployment_id = "4",
        .name = "d",
        .project_id = "",
        .fingerprint = "",
        .folder = "/m",
        .files = {{.path = "config.json", .digest = "", .size = 1}},
    });
    never->set_failed("never was any good");
    table.add(never);
    const ModelTable::Counts counts = table.counts();
    EXPECT_EQ(counts.ready, 1U);
    EXPECT_EQ(counts.loading, 1U);
    EXPECT_EQ(counts.failed, 2U);
    EXPECT_EQ(counts.down, 1U);
}

}  // namespace
}  // namespace nexa::gateway
