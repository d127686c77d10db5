// SPDX-License-Identifier: Apache-2.0
#include "orchestration/workflow.h"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/json.h"
#include "fakes/proves.h"
#include "fakes/seeded_random.h"
#include "orchestration/workflow_templates.h"
#include "protocol/job_outputs.h"

namespace nexa::orchestration {
namespace {

WorkflowDefinition defined(std::string_view json) {
    auto definition = read_workflow(parse_json(json).value(), "");
    EXPECT_TRUE(definition) << definition.error().to_string();
    return *std::move(definition);
}

/// A workflow whose jobs are carried out by the test.
class Played {
public:
    explicit Played(std::string_view json) : Played(defined(json)) {}
    explicit Played(WorkflowDefinition definition)
        : definition_(std::move(definition)), workflow_(definition_, {}) {
        take(workflow_.advance());
    }

    void end(const std::string& step, StepState state, std::string_view result = "null") {
        const std::string job_id = job_of(step);
        ASSERT_FALSE(job_id.empty()) << step << " has no job";
        end_job(job_id, state, result);
    }
    void complete(const std::string& step, std::string_view result = R"({"message":"x"})") {
        end(step, StepState::kCompleted, result);
    }
    void end_job(const std::string& job_id, StepState state, std::string_view result = "null") {
        running.erase(job_id);
        take(workflow_.job_ended(
            {job_id, state, settled(parse_json(result).value()), "internal: it broke"}
        ));
    }
    void cancel() { take(workflow_.cancel()); }
    Status rerun(std::string_view step) {
        auto actions = workflow_.rerun_from(step);
        if (!actions) {
            return std::move(actions).error();
        }
        take(*std::move(actions));
        return {};
    }
    /// As after the end of the program: only what is remembered is left.
    void restart() {
        Workflow again(definition_, workflow_.record());
        EXPECT_TRUE(again.advance().empty());
        EXPECT_TRUE(again.job_ended({"job_of_another", StepState::kFailed, {}, {}}).empty());
    }

    std::string job_of(const std::string& step) const {
        for (const auto& [job_id, name] : running) {
            if (name == step) {
                return job_id;
            }
        }
        return {};
    }
    StepState state(std::string_view step) const {
        return workflow_.record().steps[*definition_.find(step)].state;
    }
    std::string reason(std::string_view step) const {
        return workflow_.record().steps[*definition_.find(step)].reason;
    }
    std::string states() const {
        std::string text;
        for (std::size_t i = 0; i < definition_.steps.size(); ++i) {
            text += fmt::format(
                "{}{}={}",
                i == 0 ? "" : " ",
                definition_.steps[i].name,
                to_string(workflow_.record().steps[i].state)
            );
        }
        return text;
    }
    WorkflowState whole() const { return workflow_.record().state; }
    const WorkflowDefinition& definition() const { return definition_; }
    const WorkflowRecord& record() const { return workflow_.record(); }

    std::map<std::string, std::string> running;   ///< job id to step
    std::vector<std::string> started;             ///< steps, in the order of their jobs
    std::map<std::string, std::string> payloads;  ///< by job id
    std::vector<std::string> retries;             ///< jobs that were replaced
    std::vector<std::string> stopped;             ///< jobs asked to stop
    std::set<std::string> refused;                ///< steps whose jobs cannot be made

private:
    void take(Workflow::Actions actions) {
        for (std::size_t i = 0; i < actions.size(); ++i) {
            if (const auto* start = std::get_if<StartJob>(&actions[i])) {
                if (!workflow_.wants(*start)) {
                    continue;
                }
                const std::string& name = definition_.steps[start->step].name;
                if (refused.contains(name)) {
                    const auto more = workflow_.start_refused(
                        start->step, start->branch, Error::invalid_argument("no such dataset")
                    );
                    actions.insert(actions.end(), more.begin(), more.end());
                    continue;
                }
                const std::string job_id = fmt::format("job_{:04}", ++jobs_);
                payloads[job_id] = start->payload.text;
                if (!start->retry_of.empty()) {
                    retries.push_back(start->retry_of);
                }
                running[job_id] = name;
                started.push_back(name);
                workflow_.job_started(start->step, start->branch, job_id);
            } else {
                stopped.push_back(std::get<CancelJob>(actions[i]).job_id);
            }
        }
    }

    WorkflowDefinition definition_;
    Workflow workflow_;
    int jobs_ = 0;
};

constexpr std::string_view kDiamond = R"({"steps":{
    "join":{"job_type":"echo","spec":{"message":"${{steps.left.outputs.message}}+${{steps.right.outputs.message}}"}},
    "left":{"job_type":"echo","needs":["top"],"spec":{"message":"l"}},
    "right":{"job_type":"echo","needs":["top"],"spec":{"message":"r"}},
    "top":{"job_type":"echo","spec":{"message":"t"}}}})";

TEST(Workflow, TheMiddleOfADiamondOverlapsAndItsJoinWaitsForBoth) {
    NEXA_PROVES("A-57");
    Played played(kDiamond);
    EXPECT_EQ(played.started, std::vector<std::string>{"top"});
    played.complete("top");
    EXPECT_EQ(played.running.size(), 2U);
    played.complete("right", R"({"message":"R"})");
    EXPECT_EQ(played.state("join"), StepState::kBlocked);
    played.restart();
    played.complete("left", R"({"message":"L"})");
    const std::string join = played.job_of("join");
    ASSERT_FALSE(join.empty());
    EXPECT_NE(played.payloads[join].find(R"("message":"L+R")"), std::string::npos);
    played.complete("join");
    EXPECT_EQ(played.whole(), WorkflowState::kCompleted);
    EXPECT_EQ(played.started.size(), 4U);
}

TEST(Workflow, AFailureSkipsWhatNeedsItAndTheOthersGoOn) {
    Played played(kDiamond);
    played.complete("top");
    played.end("left", StepState::kFailed);
    EXPECT_EQ(played.state("join"), StepState::kSkipped);
    EXPECT_EQ(played.reason("join"), "step 'left', which it needs, is failed");
    EXPECT_EQ(played.reason("left"), "internal: it broke");
    EXPECT_EQ(played.whole(), WorkflowState::kRunning);
    EXPECT_TRUE(played.stopped.empty());
    played.complete("right");
    EXPECT_EQ(played.whole(), WorkflowState::kFailed);
}

TEST(Workflow, AFailureThatMayBeStopsNothing) {
    Played played(R"({"steps":{
        "a":{"job_type":"echo","on_failure":"continue","spec":{"message":"x"}},
        "b":{"job_type":"echo","needs":["a"],"spec":{"message":"${{ steps.a.outputs.message || steps.a.status }}"}}}})"
    );
    played.end("a", StepState::kFailed);
    EXPECT_NE(played.payloads[played.job_of("b")].find("failed"), std::string::npos);
    played.complete("b");
    EXPECT_EQ(played.whole(), WorkflowState::kCompleted);
}

TEST(Workflow, AStepIsTriedAgainAsOftenAsItMayAndEachTimeAnew) {
    Played played(R"({"steps":{"a":{"job_type":"echo","retries":2,"spec":{"message":"x"}}}})");
    const std::string first = played.job_of("a");
    played.end("a", StepState::kFailed);
    const std::string second = played.job_of("a");
    EXPECT_NE(first, second);
    played.end_job(first, StepState::kFailed);  // told twice
    EXPECT_EQ(played.started.size(), 2U);
    played.end("a", StepState::kFailed);
    EXPECT_EQ(played.retries, (std::vector<std::string>{first, second}));
    EXPECT_EQ(played.whole(), WorkflowState::kRunning);
    played.end("a", StepState::kFailed);
    EXPECT_EQ(played.started.size(), 3U);
    EXPECT_EQ(played.whole(), WorkflowState::kFailed);
}

TEST(Workflow, AGateOpensAtItsThresholdAndNotBelow) {
    constexpr std::string_view kGate = R"({"inputs":{"least":0.5},"steps":{
        "eval":{"job_type":"evaluate","spec":{"model_id":"ckpt_1"}},
        "deploy":{"job_type":"deploy","if":"steps.eval.outputs.scores.exact_match >= inputs.least",
                  "spec":{"model_id":"ckpt_1"}}}})";
    Played closed(kGate);
    closed.complete(
        "eval", R"({"eval_id":"ev_1","scores":{"exact_match":0.499},"report_uri":"x"})"
    );
    EXPECT_EQ(closed.state("deploy"), StepState::kSkipped);
    EXPECT_NE(closed.reason("deploy").find("condition does not hold"), std::string::npos);
    EXPECT_EQ(closed.whole(), WorkflowState::kCompleted);
    Played open(kGate);
    open.complete("eval", R"({"eval_id":"ev_1","scores":{"exact_match":0.5},"report_uri":"x"})");
    EXPECT_EQ(open.state("deploy"), StepState::kRunning);
    Played broken(kGate);
    broken.complete("eval", R"({"eval_id":"ev_1","scores":{},"report_uri":"x"})");
    EXPECT_EQ(broken.state("deploy"), StepState::kFailed);
    EXPECT_NE(broken.reason("deploy").find("not a number"), std::string::npos);
    EXPECT_EQ(broken.whole(), WorkflowState::kFailed);
}

TEST(Workflow, AConditionThatAsksForTheStatusSeesFailures) {
    Played played(R"json({"steps":{
        "a":{"job_type":"echo","spec":{"message":"x"}},
        "b":{"job_type":"echo","needs":["a"],"spec":{"message":"x"}},
        "tidy":{"job_type":"echo","needs":["b"],"if":"always()","spec":{"message":"t"}},
        "alarm":{"job_type":"echo","needs":["b"],"if":"failure()","spec":{"message":"f"}},
        "cheer":{"job_type":"echo","needs":["b"],"if":"success()","spec":{"message":"s"}}}})json");
    played.end("a", StepState::kFailed);
    EXPECT_EQ(played.states(), "a=failed b=skipped tidy=running alarm=running cheer=skipped");
}

TEST(Workflow, AMatrixMakesAJobForEachCombinationAndGivesListsOfOutputs) {
    Played played(R"({"inputs":{"words":["x","y"]},"steps":{
        "fan":{"job_type":"echo","matrix":{"word":"${{ inputs.words }}","n":[1,2]},
               "spec":{"message":"${{ matrix.word }}${{ matrix.n }}"}},
        "join":{"job_type":"echo","spec":{"message":"${{ steps.fan.outputs.message[3] }}"}}}})");
    ASSERT_EQ(played.running.size(), 4U);
    std::vector<std::string> ids;
    for (const auto& [job_id, step] : played.running) {
        ids.push_back(job_id);
    }
    EXPECT_NE(played.payloads[ids[1]].find("x2"), std::string::npos);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        EXPECT_EQ(played.state("join"), StepState::kBlocked);
        played.end_job(ids[i], StepState::kCompleted, fmt::format(R"({{"message":"m{}"}})", i));
    }
    EXPECT_NE(played.payloads[played.job_of("join")].find("m3"), std::string::npos);
}

TEST(Workflow, OneFailedJobOfAMatrixStopsItsSiblings) {
    Played played(R"({"steps":{"fan":{"job_type":"echo","matrix":{"n":[1,2,3]},"retries":1,
        "spec":{"message":"${{ matrix.n }}x"}}}})");
    const auto ids = played.running;
    const std::string first = ids.begin()->first;
    played.end_job(first, StepState::kFailed);
    EXPECT_TRUE(played.stopped.empty());  // it is tried again
    const std::string again = played.running.rbegin()->first;
    played.end_job(again, StepState::kFailed);
    EXPECT_EQ(played.stopped.size(), 2U);
    for (const std::string& job_id : std::vector(played.stopped)) {
        played.end_job(job_id, StepState::kCancelled);
    }
    EXPECT_EQ(played.state("fan"), StepState::kFailed);
    EXPECT_EQ(played.whole(), WorkflowState::kFailed);
}

TEST(Workflow, AMatrixThatIsNoListOrTooLargeFailsItsStep) {
    for (const std::string_view words : {R"("text")", "null"}) {
        Played played(fmt::format(
            R"({{"inputs":{{"w":{}}},"steps":{{"fan":{{"job_type":"echo","matrix":{{"w":"${{{{inputs.w}}}}"}},
                "spec":{{"message":"m"}}}}}}}})",
            words
        ));
        EXPECT_EQ(played.state("fan"), StepState::kFailed);
        EXPECT_NE(played.reason("fan").find("matrix.w: must be a list"), std::string::npos)
            << played.reason("fan");
    }
    Played empty(
        R"({"inputs":{"w":[]},"steps":{"fan":{"job_type":"echo","matrix":{"w":"${{inputs.w}}"},
        "spec":{"message":"m"}}}})"
    );
    EXPECT_EQ(empty.whole(), WorkflowState::kCompleted);
}

TEST(Workflow, CancellingStopsWhatRunsAndStartsNothing) {
    Played played(kDiamond);
    played.complete("top");
    played.cancel();
    EXPECT_EQ(played.stopped.size(), 2U);
    EXPECT_EQ(played.state("join"), StepState::kCancelled);
    EXPECT_EQ(played.whole(), WorkflowState::kRunning);
    played.end("left", StepState::kCancelled);
    played.complete("right");  // it was done before it heard of it
    EXPECT_EQ(played.whole(), WorkflowState::kCancelled);
    EXPECT_EQ(played.started.size(), 3U);
    played.cancel();
    EXPECT_EQ(played.stopped.size(), 2U);
}

TEST(Workflow, ARerunKeepsWhatCameBeforeAndUsesItsOutputs) {
    Played played(kDiamond);
    played.complete("top");
    played.complete("left", R"({"message":"L"})");
    played.end("right", StepState::kFailed);
    ASSERT_EQ(played.whole(), WorkflowState::kFailed);
    EXPECT_EQ(played.rerun("join").error().code, ErrorCode::kConflict);
    EXPECT_EQ(played.rerun("rigt").error().advice, "did you mean 'right'?");
    ASSERT_TRUE(played.rerun("right"));
    EXPECT_EQ(played.rerun("right").error().code, ErrorCode::kConflict);  // it runs
    EXPECT_EQ(played.states(), "top=completed left=completed right=running join=blocked");
    EXPECT_EQ(played.reason("right"), "");
    played.complete("right", R"({"message":"R2"})");
    EXPECT_NE(played.payloads[played.job_of("join")].find("L+R2"), std::string::npos);
    played.complete("join");
    EXPECT_EQ(played.whole(), WorkflowState::kCompleted);
    EXPECT_EQ(played.record().run, 2);
    EXPECT_EQ(std::ranges::count(played.started, "top"), 1);
}

TEST(Workflow, AJobThatCannotBeMadeFailsItsStep) {
    Played played(kDiamond);
    played.refused.insert("left");
    played.complete("top");
    EXPECT_EQ(played.state("left"), StepState::kFailed);
    EXPECT_EQ(played.reason("left"), "no such dataset");
    EXPECT_EQ(played.state("join"), StepState::kSkipped);
    EXPECT_EQ(played.state("right"), StepState::kRunning);
}

TEST(Workflow, AJobThatSomebodyCancelsAloneStopsWhatNeedsIt) {
    Played played(kDiamond);
    played.end("top", StepState::kCancelled);
    EXPECT_EQ(played.states(), "top=cancelled left=skipped right=skipped join=skipped");
    EXPECT_EQ(played.whole(), WorkflowState::kFailed);
}

/// A random history over a random graph, against what has to hold in each.
class WorkflowHistory : public ::testing::TestWithParam<int> {};

struct Random {
    fakes::SeededRandom source;
    std::size_t below(std::size_t bound) {
        return static_cast<std::size_t>(source.uniform(static_cast<std::uint64_t>(bound)));
    }
};

std::string random_graph(Random& random) {
    std::string steps;
    const std::size_t count = 2 + random.below(9);
    for (std::size_t i = 0; i < count; ++i) {
        std::string needs;
        for (std::size_t j = 0; j < i; ++j) {
            if (random.below(3) == 0) {
                needs += fmt::format(R"({}"s{}")", needs.empty() ? "" : ",", j);
            }
        }
        const char* const matrix = random.below(4) == 0 ? R"("matrix":{"n":[1,2]},)" : "";
        const char* const policy = random.below(4) == 0 ? R"("on_failure":"continue",)" : "";
        steps += fmt::format(
            R"({}"s{}":{{"job_type":"echo","needs":[{}],{}{}"retries":{},"spec":{{"message":"x"}}}})",
            i == 0 ? "" : ",",
            i,
            needs,
            matrix,
            policy,
            random.below(2)
        );
    }
    return fmt::format(R"({{"steps":{{{}}}}})", steps);
}

void check_history(const Played& played) {
    const WorkflowDefinition& definition = played.definition();
    for (std::size_t i = 0; i < definition.steps.size(); ++i) {
        const StepDefinition& step = definition.steps[i];
        const StepRecord& record = played.record().steps[i];
        for (const std::size_t need : step.needs) {
            const StepState before = played.record().steps[need].state;
            const bool may_run =
                before == StepState::kCompleted ||
                (before == StepState::kFailed && !definition.steps[need].stops_on_failure);
            if (!record.branches.empty()) {
                EXPECT_TRUE(may_run) << played.states();
            }
        }
        if (record.state == StepState::kSkipped) {
            EXPECT_TRUE(std::ranges::any_of(step.needs, [&](std::size_t need) {
                const StepState before = played.record().steps[need].state;
                return is_final(before) && before != StepState::kCompleted;
            })) << played.states();
        }
        for (const BranchRecord& branch : record.branches) {
            EXPECT_LE(branch.tries, 1 + step.retries);
        }
    }
}

TEST_P(WorkflowHistory, EndsAndNeverStartsAStepBeforeItsNeedsOrOnceTooOften) {
    Random random{fakes::SeededRandom(static_cast<std::uint64_t>(GetParam()))};
    Played played(random_graph(random));
    int reruns = 1;
    for (int moves = 0; moves < 1000; ++moves) {
        check_history(played);
        played.restart();
        if (played.whole() != WorkflowState::kRunning) {
            EXPECT_TRUE(played.running.empty()) << played.states();
            for (const StepRecord& step : played.record().steps) {
                EXPECT_TRUE(is_final(step.state)) << played.states();
            }
            if (reruns-- == 0) {
                return;
            }
            const std::size_t from = random.below(played.definition().steps.size());
            if (!played.rerun(played.definition().steps[from].name)) {
                return;
            }
            continue;
        }
        ASSERT_FALSE(played.running.empty())
            << "nothing runs, and it has not ended: " << played.states();
        if (random.below(40) == 0) {
            played.cancel();
        }
        auto job = played.running.begin();
        std::advance(job, random.below(played.running.size()));
        const std::string job_id = job->first;
        const bool asked = std::ranges::find(played.stopped, job_id) != played.stopped.end();
        const StepState end = asked && random.below(2) == 0 ? StepState::kCancelled
                              : random.below(4) == 0        ? StepState::kFailed
                                                            : StepState::kCompleted;
        played.end_job(job_id, end, R"({"message":"x"})");
    }
    FAIL() << "it does not end: " << played.states();
}

INSTANTIATE_TEST_SUITE_P(Seeds, WorkflowHistory, ::testing::Range(0, 200));

}  // namespace
}  // namespace nexa::orchestration
