// SPDX-License-Identifier: Apache-2.0
#include "fakes/proves.h"
#include "orchestration/deploy_test_internal.h"
#include "orchestration/deployment_service.h"

namespace nexa::orchestration {
namespace {

using protocol::GatewayReport;
using protocol::JobStatus;
using std::chrono::microseconds;
using Names = std::vector<std::string>;

TEST_P(DeployTest, AResultLeavesTheJobRunningWithoutLeaseUntilAGatewayServes) {
    NEXA_PROVES("T-103 F-41");
    const auto before = serial();
    const JobId job_id = activate({.name = "adder"});
    Job waiting = job(job_id);
    EXPECT_EQ(waiting.state, "activating");
    EXPECT_EQ(waiting.status, JobStatus::kRunning);
    EXPECT_FALSE(waiting.worker_id);
    EXPECT_FALSE(waiting.result);
    EXPECT_FALSE(waiting.finished_at);
    EXPECT_EQ(count("usage_record"), 0);
    EXPECT_EQ(deployment(job_id).state, "loading");
    EXPECT_EQ(served(), Names{"adder"});
    EXPECT_GT(serial(), before);

    EXPECT_EQ(report_ready(job_id), std::vector{job_id});
    const Job done = job(job_id);
    EXPECT_EQ(done.status, JobStatus::kCompleted);
    EXPECT_TRUE(done.finished_at);
    const auto result = from_json<protocol::DeployResult>(done.result->text).value();
    EXPECT_EQ(result.deployment_id, deployment_of(job_id));
    EXPECT_EQ(result.inference_url, "http://gw-1:8080/v1");
    EXPECT_EQ(result.hf_repo, std::nullopt);
    EXPECT_EQ(deployment(job_id).state, "ready");
    EXPECT_EQ(statuses(job_id), (Names{"pending", "running", "completed"}));
}

TEST_P(DeployTest, TheJobIsChargedOnceHoweverOftenGatewaysReport) {
    const JobId job_id = activate();
    report_ready(job_id);
    const auto rows = count("usage_record");
    EXPECT_GT(rows, 0);
    EXPECT_EQ(count("ledger_outbox"), 1);
    EXPECT_TRUE(report_ready(job_id).empty());
    EXPECT_TRUE(
        report(report_of({{.deployment_id = deployment_of(job_id), .state = "failed"}}, "gw-2"))
            .empty()
    );
    EXPECT_EQ(count("usage_record"), rows);
    EXPECT_EQ(count("ledger_outbox"), 1);
    EXPECT_EQ(job(job_id).status, JobStatus::kCompleted);
}

TEST_P(DeployTest, ALoadingGatewayIsWaitedFor) {
    const JobId job_id = activate();
    const auto states = std::vector<protocol::GatewayDeploymentState>{
        {.deployment_id = deployment_of(job_id), .state = "loading"}
    };
    EXPECT_TRUE(report(report_of(states)).empty());
    EXPECT_EQ(job(job_id).state, "activating");
}

TEST_P(DeployTest, AGatewayOfAnotherRegionDecidesNothing) {
    const JobId job_id = activate();
    const auto states = std::vector<protocol::GatewayDeploymentState>{
        {.deployment_id = deployment_of(job_id), .state = "ready"}
    };
    EXPECT_TRUE(report(report_of(states, "gw-9", "mars")).empty());
    EXPECT_EQ(job(job_id).state, "activating");
    EXPECT_EQ(count("gateway_deployment"), 0);
}

TEST_P(DeployTest, AGatewayThatCannotServeFailsTheJobAndTheDeploymentIsWithdrawn) {
    const JobId job_id = activate({.name = "adder"});
    const auto before = serial();
    const auto ended = report(report_of({{
        .deployment_id = deployment_of(job_id),
        .state = "failed",
        .message = "the weights are not those of the config",
    }}));
    EXPECT_EQ(ended, std::vector{job_id});
    EXPECT_EQ(job(job_id).status, JobStatus::kFailed);
    EXPECT_TRUE(job(job_id).finished_at);
    EXPECT_NE(error_of(job_id).message.find("the weights are not"), std::string::npos);
    EXPECT_EQ(error_of(job_id).code, "unavailable");
    EXPECT_EQ(deployment(job_id).state, "failed");
    EXPECT_EQ(served(), Names{});
    EXPECT_GT(serial(), before);
    EXPECT_EQ(count("usage_record"), 0);
    activate({.name = "adder"});  // the name is free again
}

TEST_P(DeployTest, TheDeadlineComesAtItsMomentAndNotBefore) {
    const JobId job_id = activate();
    clock.advance(kActivation - microseconds{1});
    EXPECT_TRUE(end_due().empty());
    clock.advance(microseconds{1});
    EXPECT_TRUE(report_ready(job_id).empty());  // noticed or not, its time is up
    EXPECT_EQ(end_due(), std::vector{job_id});
    EXPECT_EQ(job(job_id).status, JobStatus::kFailed);
    EXPECT_EQ(deployment(job_id).state, "failed");
    EXPECT_EQ(served(), Names{});
    EXPECT_TRUE(end_due().empty());
    EXPECT_EQ(statuses(job_id), (Names{"pending", "running", "failed"}));
}

TEST_P(DeployTest, ADeadlineWithoutAnyGatewaySaysWhichToStart) {
    const JobId job_id = activate({.region = "us-east-1"});
    report(report_of({}, "gw-1", "local"));
    clock.advance(kActivation);
    end_due();
    EXPECT_EQ(error_of(job_id).code, "unavailable");
    EXPECT_EQ(error_of(job_id).message, "no gateway of region 'us-east-1' reported within 30 s");
    EXPECT_EQ(error_of(job_id).hint, "is nexa-gateway running with --region us-east-1?");
}

TEST_P(DeployTest, ADeadlineWithASlowGatewaySaysSo) {
    const JobId job_id = activate();
    report(report_of({{.deployment_id = deployment_of(job_id), .state = "loading"}}));
    clock.advance(kActivation);
    end_due();
    EXPECT_EQ(error_of(job_id).code, "deadline_exceeded");
}

TEST_P(DeployTest, AStartOfTheServerGivesTheFullTimeAgain) {
    const JobId job_id = activate();
    clock.advance(kActivation * 10);
    ASSERT_TRUE(write([&](db::Tx& tx) { return activations.prolong(tx); }));
    EXPECT_TRUE(end_due().empty());
    EXPECT_EQ(report_ready(job_id), std::vector{job_id});
}

TEST_P(DeployTest, ACancelWhileItWaitsWithdrawsTheDeployment) {
    const JobId job_id = activate({.name = "adder"});
    const auto before = serial();
    ASSERT_TRUE(write([&](db::Tx& tx) { return job_store::cancel(tx, job_id, "prj_a"); }));
    EXPECT_EQ(job(job_id).status, JobStatus::kCancelled);
    EXPECT_EQ(deployment(job_id).state, "stopped");
    EXPECT_EQ(served(), Names{});
    EXPECT_GT(serial(), before);
    EXPECT_TRUE(report_ready(job_id).empty());
    clock.advance(kActivation);
    EXPECT_TRUE(end_due().empty());
    EXPECT_EQ(count("usage_record"), 0);
}

TEST_P(DeployTest, AResultAfterACancelDeploysNothing) {
    const JobId job_id = add_deploy();
    const LeaseRef lease = claim();
    ASSERT_TRUE(write([&](db::Tx& tx) { return job_store::cancel(tx, job_id, "prj_a"); }));
    ASSERT_TRUE(take(result_of(lease)));
    EXPECT_EQ(job(job_id).status, JobStatus::kCancelled);
    EXPECT_TRUE(job(job_id).finished_at);
    EXPECT_EQ(count("deployment"), 0);
}

TEST_P(DeployTest, ALateResultOfALostLeaseDeploysNothing) {
    const JobId job_id = add_deploy();
    const LeaseRef lease = claim();
    clock.advance(std::chrono::seconds{60});
    const auto late = take(result_of(lease));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::kConflict);
    EXPECT_EQ(count("deployment"), 0);
    EXPECT_EQ(job(job_id).state, "leased");
}

TEST_P(DeployTest, AResultThatNamesAnotherDeploymentIsRefused) {
    add_deploy();
    const LeaseRef lease = claim();
    auto foreign = result_of(lease);
    foreign.result = JsonText{R"({"deployment_id":"dp_other","inference_url":""})"};
    EXPECT_EQ(take(foreign).error().code, ErrorCode::kInvalidArgument);
    auto none = result_of(lease);
    none.artifacts.clear();
    EXPECT_EQ(take(none).error().code, ErrorCode::kInvalidArgument);
    auto empty = result_of(lease);
    empty.result.reset();
    EXPECT_EQ(take(empty).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(job(lease.job_id).state, "leased");
    EXPECT_EQ(count("artifact"), 0);
}

TEST_P(DeployTest, ANameIsOnesOfAProjectAndRegion) {
    activate({.name = "adder"});
    const JobId second = add_deploy({.name = "adder"});
    const auto ended = take(result_of(claim()));
    ASSERT_TRUE(ended) << ended.error().to_string();
    EXPECT_EQ(ended->state, "dead");
    EXPECT_EQ(job(second).status, JobStatus::kFailed);
    EXPECT_EQ(error_of(second).code, "conflict");
    EXPECT_EQ(error_of(second).param, "name");
    activate({.region = "us-east-1", .name = "adder"});
    activate({.name = "adder"}, "prj_b");
    EXPECT_EQ(served(), (Names{"adder", "adder"}));
    EXPECT_EQ(served("us-east-1"), Names{"adder"});
}

TEST_P(DeployTest, WithoutANameItIsServedUnderItsId) {
    const JobId job_id = activate();
    EXPECT_EQ(served(), Names{deployment_of(job_id)});
}

TEST_P(DeployTest, UndeployEndsWhatIsLiveAndChangesNothingElse) {
    const JobId job_id = activate({.name = "adder"});
    EXPECT_EQ(stop(job_id).error().code, ErrorCode::kConflict);
    EXPECT_EQ(served(), Names{"adder"});
    report_ready(job_id);
    EXPECT_EQ(stop(job_id, "prj_b").error().code, ErrorCode::kNotFound);
    const auto before = serial();
    EXPECT_EQ(stop(job_id).value().state, "stopped");
    EXPECT_EQ(served(), Names{});
    const auto after = serial();
    EXPECT_GT(after, before);
    EXPECT_EQ(stop(job_id).value().state, "stopped");
    EXPECT_EQ(serial(), after);
    EXPECT_EQ(job(job_id).status, JobStatus::kCompleted);
    const JobId failed = activate();
    clock.advance(kActivation);
    end_due();
    EXPECT_EQ(stop(failed).value().state, "failed");
}

TEST_P(DeployTest, ListsFilterAndPage) {
    const JobId first = activate({.name = "one"});
    report_ready(first);
    ASSERT_TRUE(stop(first));
    const JobId second = activate({.name = "two"});
    activate({.name = "three"}, "prj_b");
    const auto list = [&](DeploymentFilter filter) {
        filter.tenant_id = "prj_a";
        Names found;
        for (const auto& row :
             database->read([&](db::Tx& tx) { return deployment_store::list(tx, filter); }
             ).value()) {
            found.push_back(row.name);
        }
        return found;
    };
    EXPECT_EQ(list({}), (Names{"two", "one"}));
    EXPECT_EQ(list({.live = true}), Names{"two"});
    EXPECT_EQ(list({.live = false}), Names{"one"});
    EXPECT_EQ(list({.name = "one"}), Names{"one"});
    EXPECT_EQ(list({.region = "mars"}), Names{});
    EXPECT_EQ(list({.after = deployment(second).sequence}), Names{"one"});
    EXPECT_EQ(list({.limit = 1}), (Names{"two", "one"}));  // one more, to see that there is more
}

class CheckDeployTest : public DeployTest {
protected:
    Status check(const std::string& payload, std::vector<protocol::JobInput> inputs) {
        const NewJob job{
            .job_id = ids.make<JobId>(),
            .tenant_id = "prj_a",
            .job_type = "deploy",
            .payload = {payload},
            .inputs = std::move(inputs),
        };
        const std::vector<std::string> regions{"local"};
        return write([&](db::Tx& tx) { return check_deploy(tx, job, regions); });
    }
    static protocol::JobInput model(const std::string& kind = "checkpoint") {
        return {.name = "model", .artifact_id = "ckpt_1", .kind = kind};
    }
};

TEST_P(CheckDeployTest, ARegionIsKnownBySettingOrByAGateway) {
    NEXA_PROVES("F-29");
    EXPECT_TRUE(check(R"({"model_id":"ckpt_1"})", {model()}));
    const std::string east = R"({"model_id":"ckpt_1","region":"us-east-1"})";
    const Status unknown = check(east, {model()});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(unknown.error().param, "region");
    report(report_of({}, "gw-1", "us-east-1"));
    EXPECT_TRUE(check(east, {model()}));
    const Status near = check(R"({"model_id":"ckpt_1","region":"us-east-2"})", {model()});
    EXPECT_EQ(near.error().advice, "did you mean 'us-east-1'?");
}

TEST_P(CheckDeployTest, OnlyAStoredModelCanBeDeployed) {
    EXPECT_EQ(check(R"({"model_id":"nexa-small"})", {}).error().param, "model_id");
    EXPECT_EQ(
        check(R"({"model_id":"ds_1"})", {model("dataset")}).error().code,
        ErrorCode::kInvalidArgument
    );
    EXPECT_TRUE(check(R"({"model_id":"dp_1"})", {model("deployment")}));
}

TEST_P(CheckDeployTest, ATakenNameIsAConflictThatNamesWhoHasIt) {
    const std::string wish = R"({"model_id":"ckpt_1","name":"adder"})";
    const JobId job_id = activate({.name = "adder"});
    const Status taken = check(wish, {model()});
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, ErrorCode::kConflict);
    EXPECT_NE(taken.error().advice.find(deployment_of(job_id)), std::string::npos);
    report_ready(job_id);
    EXPECT_FALSE(check(wish, {model()}));
    ASSERT_TRUE(stop(job_id));
    EXPECT_TRUE(check(wish, {model()}));
}

class DeploymentViewTest : public DeployTest {
protected:
    protocol::DeploymentView view(const JobId& job_id) {
        const auto states = database->read([&](db::Tx& tx) {
            return deployment_store::gateway_states(tx, {deployment_of(job_id)});
        });
        return to_view(deployment(job_id), *states);
    }
    void say(const std::string& gateway_id, const JobId& job_id, const std::string& state) {
        report(report_of(
            {{.deployment_id = deployment_of(job_id), .state = state, .message = "m"}}, gateway_id
        ));
    }
};

TEST_P(DeploymentViewTest, AnUnknownDeploymentIsNotFoundAndAKnownOneSaysItsStateAndAddress) {
    NEXA_PROVES("T-81");
    const JobId job_id = activate({.name = "adder"});
    EXPECT_EQ(view(job_id).state, "loading");
    EXPECT_EQ(view(job_id).inference_url, std::nullopt);
    report_ready(job_id);
    EXPECT_EQ(view(job_id).state, "ready");
    EXPECT_EQ(view(job_id).inference_url, "http://gw-1:8080/v1");
    const auto none =
        database->read([](db::Tx& tx) { return deployment_store::get(tx, "dp_none", "prj_a"); });
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
    const auto foreign = database->read([&](db::Tx& tx) {
        return deployment_store::get(tx, deployment_of(job_id), "prj_b");
    });
    EXPECT_EQ(foreign.error().code, ErrorCode::kNotFound);
}

TEST_P(DeploymentViewTest, OneGatewayThatServesIsEnough) {
    const JobId job_id = activate();
    report_ready(job_id);
    say("gw-1", job_id, "failed");
    EXPECT_EQ(view(job_id).state, "failed");
    EXPECT_EQ(view(job_id).message, "m");
    say("gw-2", job_id, "loading");
    EXPECT_EQ(view(job_id).state, "loading");
    say("gw-3", job_id, "ready");
    EXPECT_EQ(view(job_id).state, "ready");
    EXPECT_EQ(view(job_id).inference_url, "http://gw-3:8080/v1");
    EXPECT_EQ(view(job_id).gateways.size(), 3U);
}

TEST_P(DeploymentViewTest, ASilentGatewayServesNobody) {
    const JobId job_id = activate();
    report_ready(job_id);
    clock.advance(kGatewayLostAfter - microseconds{1});
    EXPECT_EQ(view(job_id).state, "ready");
    clock.advance(microseconds{1});
    EXPECT_EQ(view(job_id).state, "loading");
    EXPECT_TRUE(view(job_id).gateways.empty());
    EXPECT_EQ(view(job_id).inference_url, "http://gw-1:8080/v1");
}

TEST_P(DeploymentViewTest, AReportReplacesTheOneBeforeAndLeavesOutWhatIsUnknown) {
    const JobId job_id = activate();
    report(report_of({
        {.deployment_id = deployment_of(job_id), .state = "ready"},
        {.deployment_id = deployment_of(job_id), .state = "failed"},  // twice: the first counts
        {.deployment_id = "dp_none", .state = "ready"},
    }));
    EXPECT_EQ(count("gateway_deployment"), 1);
    EXPECT_EQ(view(job_id).state, "ready");
    report(report_of({}));
    EXPECT_EQ(count("gateway_deployment"), 0);
    clock.advance(std::chrono::hours{24 * 30});
    report(report_of({}, "gw-2"));
    EXPECT_EQ(count("gateway"), 1);  // gw-1 is forgotten
}

NEXA_ON_BOTH_DATABASES(DeployTest);
NEXA_ON_BOTH_DATABASES(CheckDeployTest);
NEXA_ON_BOTH_DATABASES(DeploymentViewTest);

}  // namespace
}  // namespace nexa::orchestration
