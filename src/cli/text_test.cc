// SPDX-License-Identifier: Apache-2.0
//
// Flags, tables, progress, the plan of restarts: what is decided without any I/O.
#include <gtest/gtest.h>

#include "cli/progress.h"
#include "cli/restart_plan.h"
#include "cli/spec_flags.h"
#include "cli/table.h"
#include "core/json.h"
#include "protocol/job_types.h"

namespace nexa::cli {
namespace {

using namespace std::chrono_literals;

const StructInfo& spec_of(std::string_view type) {
    return *(*protocol::find_job_type(type))->spec().structure();
}

const SpecFlag* find(const std::vector<SpecFlag>& flags, std::string_view name) {
    for (const SpecFlag& flag : flags) {
        if (flag.name == name) {
            return &flag;
        }
    }
    return nullptr;
}

TEST(SpecFlags, EveryFieldOfEveryTypeIsAFlagWithItsAliases) {
    for (const protocol::JobTypeRow& type : protocol::job_types()) {
        EXPECT_EQ(
            spec_flags(*type.spec().structure()).size(), type.spec().structure()->fields.size()
        ) << type.name;
    }
    const auto flags = spec_flags(spec_of("train"));
    const SpecFlag* model = find(flags, "model-id");
    ASSERT_NE(model, nullptr);
    EXPECT_EQ(model->aliases, (std::vector<std::string>{"model", "checkpoint-id"}));
    EXPECT_EQ(model->value_name, "TEXT");
}

TEST(SpecFlags, HelpHoldsUnitRangeChoicesAndDefault) {
    const auto flags = spec_flags(spec_of("train"));
    EXPECT_EQ(
        find(flags, "max-seq-len")->help, "Longest sequence (tokens; 8 to 131072; default 512)"
    );
    EXPECT_NE(find(flags, "dtype")->help.find("(auto|fp32|bf16; default auto)"), std::string::npos);
    EXPECT_NE(find(flags, "epochs")->help.find("required"), std::string::npos);
    EXPECT_EQ(find(flags, "learning-rate")->value_name, "REAL");
    EXPECT_EQ(find(spec_flags(spec_of("generate")), "reverse-answer")->value_name, "");
}

TEST(SpecFlags, ValuesTakeTheTypeOfTheField) {
    const StructInfo& spec = spec_of("train");
    ValueNode payload{.kind = ValueNode::Kind::kObject};
    ASSERT_TRUE(set_field(spec, "epochs=3", payload));
    ASSERT_TRUE(set_field(spec, "dataset_id=123", payload));
    ASSERT_TRUE(set_field(spec, "dataset_uri=a=b", payload));  // the alias means the same field
    EXPECT_EQ(to_json(payload), R"({"epochs":3,"dataset_uri":"a=b"})");
    const auto word = set_field(spec, "epochs=three", payload);
    ASSERT_FALSE(word);
    EXPECT_EQ(word.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(word.error().param, "epochs");
    EXPECT_FALSE(set_field(spec, "epochs=\"3\"", payload));
    EXPECT_FALSE(set_field(spec, "epochs=", payload));
    EXPECT_FALSE(set_field(spec, "=3", payload));
    EXPECT_FALSE(set_field(spec, "epochs", payload));
    EXPECT_FALSE(set_field(spec_of("generate"), "reverse_answer=1", payload));
    EXPECT_FALSE(set_field(spec, "model_id=\xff", payload));
}

TEST(SpecFlags, UnknownFieldProposesTheNearName) {
    ValueNode payload{.kind = ValueNode::Kind::kObject};
    const auto status = set_field(spec_of("train"), "epoch=3", payload);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().advice, "did you mean 'epochs'?");
}

TEST(Table, AlignsForTerminalsAndSeparatesByTabsForPipes) {
    Table table({"JOB", "NAME"});
    table.add({"job_1", "über"});
    table.add({"j", ""});
    EXPECT_EQ(table.for_terminal(80, false), "JOB    NAME\njob_1  über\nj\n");
    EXPECT_EQ(table.for_pipe(), "job_1\tüber\nj\t\n");
    EXPECT_EQ(table.for_terminal(80, true).substr(0, 4), "\x1b[1m");
}

TEST(Table, ControlCharactersOfAServerReachNoTerminal) {
    Table table({"A"});
    table.add({"x\x1b[2J\ty\nz\x7f\xc2\x9b"});
    EXPECT_EQ(table.for_pipe(), "x [2J y z  \n");
    EXPECT_EQ(one_line("a\xff"), "a?");
}

TEST(Table, CutsTheWidestColumnToFit) {
    Table table({"ID", "TEXT"});
    table.add({"abcdefgh", std::string(200, 'x')});
    const std::string text = table.for_terminal(40, false);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        EXPECT_LE(end - at, 40U + 2);  // "…" is three bytes
        at = end + 1;
    }
    EXPECT_NE(text.find("…"), std::string::npos);
    EXPECT_NE(text.find("abcdefgh"), std::string::npos);
}

TEST(Table, WhatNamesARowIsNeverCut) {
    const std::string id = "job_01a20092d3e970f5a0be2c7d8e9fa0b1";
    Table table({"JOB", "CREATED", "NAME"});
    table.add({id, "2026-11-21T22:35:49.000Z", "a name of some length"});
    const std::string text = table.for_terminal(60, false);
    EXPECT_NE(text.find(id + "  "), std::string::npos) << text;
    EXPECT_NE(text.find("…"), std::string::npos) << text;
}

TEST(Table, BytesAndSecondsAreShownForPeople) {
    EXPECT_EQ(human_bytes(1023), "1023 B");
    EXPECT_EQ(human_bytes(1024), "1.0 KiB");
    EXPECT_EQ(human_bytes(UINT64_MAX), "16.0 EiB");
    EXPECT_EQ(human_seconds(59.6), "1:00");
    EXPECT_EQ(human_seconds(3723), "1:02:03");
    EXPECT_EQ(human_seconds(-1), "?");
}

TEST(Progress, BarFillsWithThePartDone) {
    const protocol::EngineEvent event{
        .type = "progress",
        .phase = "train",
        .done = 50,
        .total = 100,
        .rate = 4.125,
        .eta_seconds = 27,
        .unit = "steps"
    };
    EXPECT_EQ(
        progress_bar(event, 200),
        "train  [====================>                   ]   50%  50/100 steps  4.12/s  0:27 left"
    );
    EXPECT_EQ(progress_text(event), "progress train 50/100 steps 4.12/s 0:27 left");
    EXPECT_LE(progress_bar(event, 30).size(), 32U);
}

TEST(Progress, OddNumbersOfAnEngineDoNoHarm) {
    protocol::EngineEvent event{.type = "progress", .done = 300, .total = 100};
    EXPECT_NE(progress_bar(event, 80).find("100%"), std::string::npos);
    event.done = -5;
    EXPECT_NE(progress_bar(event, 80).find("  0%"), std::string::npos);
    event.total = 0;
    EXPECT_EQ(progress_bar(event, 80), "working  -5");
}

protocol::JobEventView event_of(std::string type, std::string data) {
    return {.job_id = "job_1", .type = std::move(type), .data = {std::move(data)}};
}

TEST(EventPrinter, RedrawsOneLineOnATerminalAndWipesItForOthers) {
    EventPrinter printer({.redraws = true, .columns = 80});
    const auto progress =
        event_of("progress", R"({"type":"progress","phase":"p","done":1,"total":2})");
    const std::string bar = printer.show(progress);
    EXPECT_TRUE(bar.starts_with("\rp  ["));
    EXPECT_EQ(bar.find('\n'), std::string::npos);
    EXPECT_EQ(
        printer.show(event_of("status", R"({"status":"running","reason":""})")),
        "\r\x1b[Kstatus running\n"
    );
    EXPECT_EQ(printer.status(), "running");
    EXPECT_EQ(printer.finish(), "");
}

TEST(EventPrinter, WritesPlainLinesElsewhere) {
    EventPrinter printer({});
    const auto progress =
        event_of("progress", R"({"type":"progress","phase":"p","done":1,"total":2,"later":true})");
    EXPECT_EQ(printer.show(progress), "progress p 1/2\n");
    EXPECT_EQ(
        printer.show(event_of("log", R"({"type":"log","message":"a\u001b[1mb"})")), "log a [1mb\n"
    );
    EXPECT_EQ(
        printer.show(event_of("metric", R"({"type":"metric","metrics":{"loss":0.5}})")),
        "metric loss=0.5\n"
    );
    EXPECT_EQ(printer.show(event_of("status", "no json")), "");
}

constexpr RestartPlan::Time kBegin{1h};

TEST(RestartPlan, PausesDoubleUpToTheCap) {
    RestartPlan plan;
    auto now = kBegin;
    for (const auto pause : {500ms, 1000ms, 2000ms, 4000ms, 8000ms, 10000ms, 10000ms}) {
        plan.started(now);
        EXPECT_EQ(
            plan.ended({.exit_code = 1}, now),
            RestartPlan::Decision(RestartPlan::RestartAt{now + pause})
        );
        now += pause;
    }
}

TEST(RestartPlan, AChildThatRanLongIsRestartedSoonAgain) {
    RestartPlan plan;
    plan.started(kBegin);
    plan.ended({.signal = 9}, kBegin);
    plan.started(kBegin);
    EXPECT_EQ(
        plan.ended({.exit_code = 0}, kBegin + 60s - 1ms),
        RestartPlan::Decision(RestartPlan::RestartAt{kBegin + 61s - 1ms})
    );
    plan.started(kBegin);
    EXPECT_EQ(
        plan.ended({.exit_code = 0}, kBegin + 60s),
        RestartPlan::Decision(RestartPlan::RestartAt{kBegin + 60500ms})
    );
}

TEST(RestartPlan, UsageAndCredentialsAreNotTriedAgain) {
    for (const int code : {0, 1, 2, 3, 4, 5, 10, 255}) {
        RestartPlan plan;
        plan.started(kBegin);
        const auto decision = plan.ended({.exit_code = code}, kBegin);
        EXPECT_EQ(std::holds_alternative<RestartPlan::GiveUp>(decision), code == 2 || code == 4)
            << code;
    }
}

}  // namespace
}  // namespace nexa::cli
