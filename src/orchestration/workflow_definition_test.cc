// SPDX-License-Identifier: Apache-2.0
#include "orchestration/workflow_definition.h"

#include <gtest/gtest.h>

#include "core/json.h"
#include "fakes/proves.h"
#include "orchestration/workflow_templates.h"
#include "protocol/job_outputs.h"

namespace nexa::orchestration {
namespace {

Result<WorkflowDefinition> read(std::string_view json, std::string_view source = "") {
    return read_workflow(parse_json(json).value(), source);
}

/// One step named "a" with these fields, beside an audit to refer to.
Error error_of(std::string_view fields, std::string_view more = "") {
    const auto read_one = read(fmt::format(
        R"({{"inputs":{{"n":3,"none":null}},"steps":{{"audit":{{"job_type":"audit","spec":{{"dataset_uri":"ds_1"}}}},
            "a":{{{}}}{}}}}})",
        fields,
        more
    ));
    EXPECT_FALSE(read_one) << fields;
    return read_one ? Error::internal("was taken") : read_one.error();
}

TEST(WorkflowDefinition, StepsStandBehindThoseTheyNeedInWhateverOrderTheyWereWritten) {
    const auto definition = read(R"({"steps":{
        "last":{"job_type":"echo","needs":["first"],"if":"steps.middle.status == 'completed'","spec":{"message":"x"}},
        "middle":{"job_type":"echo","spec":{"message":"${{ steps.first.outputs.message }}"}},
        "first":{"job_type":"echo","spec":{"message":"x"}}}})");
    ASSERT_TRUE(definition) << definition.error().to_string();
    std::vector<std::string> names;
    for (const StepDefinition& step : definition->steps) {
        names.push_back(step.name);
    }
    EXPECT_EQ(names, (std::vector<std::string>{"first", "middle", "last"}));
    EXPECT_EQ(definition->steps[1].needs, std::vector<std::size_t>{0});
    EXPECT_EQ(definition->steps[2].needs, (std::vector<std::size_t>{0, 1}));
    const auto again = read_workflow(definition->text);
    ASSERT_TRUE(again) << again.error().to_string();
    EXPECT_EQ(again->text, definition->text);
}

TEST(WorkflowDefinition, ACircleIsRefusedAndNamed) {
    NEXA_PROVES("A-57");
    const Error error = read(R"({"steps":{
        "x":{"job_type":"echo","spec":{"message":"x"}},
        "a":{"job_type":"echo","needs":["c"],"spec":{"message":"x"}},
        "b":{"job_type":"echo","needs":["a","x"],"spec":{"message":"x"}},
        "c":{"job_type":"echo","spec":{"message":"${{ steps.b.outputs.message }}"}}}})")
                            .error();
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
    EXPECT_NE(error.message.find("a needs c needs b needs a"), std::string::npos) << error.message;
    EXPECT_EQ(error.param, "steps.a.needs");
    EXPECT_NE(
        error_of(R"("job_type":"echo","needs":["a"],"spec":{"message":"x"})")
            .message.find("a needs a"),
        std::string::npos
    );
}

struct Refusal {
    const char* fields;
    const char* param;
    const char* says;  ///< in message or hint
};

class RefusedStep : public ::testing::TestWithParam<Refusal> {};

TEST_P(RefusedStep, IsNamedByStepAndField) {
    const Error error = error_of(GetParam().fields);
    EXPECT_EQ(error.param, GetParam().param) << error.to_string();
    EXPECT_NE(error.to_string().find(GetParam().says), std::string::npos) << error.to_string();
}

INSTANTIATE_TEST_SUITE_P(
    All,
    RefusedStep,
    ::testing::Values(
        Refusal{R"("spec":{})", "steps.a.job_type", "is missing"},
        Refusal{R"("job_type":"trian")", "steps.a.job_type", "did you mean 'train'"},
        Refusal{R"("job_type":"audit","speck":{})", "steps.a.speck", "did you mean 'spec'"},
        Refusal{R"("job_type":"audit")", "steps.a.spec.dataset_uri", "is missing"},
        Refusal{R"("job_type":"audit","spec":[])", "steps.a.spec", "must be an object"},
        Refusal{
            R"("job_type":"audit","spec":{"dataset_uri":"ds_1","max_row":5})",
            "steps.a.spec.max_row",
            "did you mean 'max_rows'"
        },
        Refusal{
            R"("job_type":"audit","spec":{"dataset_uri":"ds_1","max_rows":"${{ inputs.m }}"})",
            "steps.a.spec.max_rows",
            "there is no input 'm'"
        },
        Refusal{
            R"("job_type":"audit","spec":{"dataset_uri":"${{ inputs.n }}"})",
            "steps.a.spec.dataset_uri",
            "must be a string, is 3"
        },
        Refusal{
            R"("job_type":"audit","spec":{"dataset_uri":"${{ inputs.none }}"})",
            "steps.a.spec.dataset_uri",
            "is missing"
        },
        Refusal{
            R"("job_type":"audit","spec":{"dataset_uri":"${{ steps.audit.outputs.datset_id }}"})",
            "steps.a.spec.dataset_uri",
            "did you mean 'dataset_id'"
        },
        Refusal{
            R"("job_type":"audit","spec":{"dataset_uri":"${{ steps.audits.outputs.dataset_id }}"})",
            "steps.a.spec.dataset_uri",
            "did you mean 'audit'"
        },
        Refusal{
            R"("job_type":"audit","spec":{"dataset_uri":"${{ steps.audit.result }}"})",
            "steps.a.spec.dataset_uri",
            "outputs, status and job_id"
        },
        Refusal{
            R"("job_type":"audit","spec":{"dataset_uri":"${{ secrets.x }}"})",
            "steps.a.spec.dataset_uri",
            "cannot refer to"
        },
        Refusal{
            R"("job_type":"audit","spec":{"dataset_uri":"${{ matrix.x }}"})",
            "steps.a.spec.dataset_uri",
            "no matrix value"
        },
        Refusal{
            R"("job_type":"audit","spec":{"dataset_uri":"${{ 1 + }}"})",
            "steps.a.spec.dataset_uri",
            "expected an operator"
        },
        Refusal{
            R"("job_type":"audit","needs":["b"],"spec":{"dataset_uri":"ds_1"})",
            "steps.a.needs",
            "no step 'b'"
        },
        Refusal{
            R"("job_type":"audit","if":"steps.audit.outputs.tier","spec":{"dataset_uri":"ds_1"})",
            "steps.a.if",
            "has no output 'tier'"
        },
        Refusal{
            R"("job_type":"audit","if":"1 <","spec":{"dataset_uri":"ds_1"})",
            "steps.a.if",
            "expected a value"
        },
        Refusal{
            R"("job_type":"audit","if":{},"spec":{"dataset_uri":"ds_1"})",
            "steps.a.if",
            "must be an expression"
        },
        Refusal{
            R"("job_type":"audit","matrix":{"m":5},"spec":{"dataset_uri":"ds_1"})",
            "steps.a.matrix.m",
            "must be a list"
        },
        Refusal{
            R"("job_type":"audit","matrix":{"m":[]},"spec":{"dataset_uri":"ds_1"})",
            "steps.a.matrix.m",
            "must be a list"
        },
        Refusal{
            R"("job_type":"audit","matrix":{"m":[1,2,3,4,5,6,7,8,9],"k":[1,2,3,4,5,6,7,8]},"spec":{"dataset_uri":"ds_1"})",
            "steps.a.matrix",
            "more than 64"
        },
        Refusal{
            R"("job_type":"audit","retries":11,"spec":{"dataset_uri":"ds_1"})",
            "steps.a.retries",
            "0 to 10"
        },
        Refusal{
            R"("job_type":"audit","on_failure":"ignore","spec":{"dataset_uri":"ds_1"})",
            "steps.a.on_failure",
            "stop, continue"
        }
    )
);

TEST(WorkflowDefinition, WhatAnExpressionFillsInLaterIsTakenForGood) {
    const auto good = read(R"({"steps":{
        "audit":{"job_type":"audit","spec":{"dataset_uri":"ds_1"}},
        "train":{"job_type":"train","spec":{"dataset_id":"${{ steps.audit.outputs.dataset_id }}","model":"nexa-tiny",
            "epochs":"${{ steps.audit.outputs.overall_quality_score }}"}},
        "deploy":{"job_type":"deploy","spec":{"model_id":"${{ steps.train.outputs.checkpoint_id }}",
            "name":"${{ steps.train.job_id }}"}}}})");
    EXPECT_TRUE(good) << good.error().to_string();
}

TEST(WorkflowDefinition, ALineIsToldWhereTheSourceHasLines) {
    const Error error =
        read(
            "{\"steps\":{\n\"a\":{\"job_type\":\"audit\",\n\"spec\":{\n\"dataset_uri\":5}}}}",
            "flow.yaml"
        )
            .error();
    EXPECT_EQ(error.param, "flow.yaml:4: steps.a.spec.dataset_uri");
    const Error circle = read(
                             "{\"steps\":{\"a\":{\"job_type\":\"echo\",\n\"spec\":{\"message\":"
                             "\"\"},\n\"needs\":[\"a\"]}}}",
                             "f"
    )
                             .error();
    EXPECT_EQ(circle.param, "f:3: steps.a.needs");
}

TEST(WorkflowDefinition, NamesAreShortWordsAndThereIsAStep) {
    EXPECT_EQ(read(R"({"steps":{}})").error().param, "steps");
    EXPECT_EQ(read("{}").error().param, "steps");
    for (const std::string_view name : {"", "a b", "1a", "-a", "ä", "a.b"}) {
        const auto refused = read(fmt::format(
            R"({{"steps":{{"{}":{{"job_type":"echo","spec":{{"message":"x"}}}}}}}})", name
        ));
        EXPECT_FALSE(refused) << name;
    }
    std::string many = R"({"steps":{)";
    for (int i = 0; i < 257; ++i) {
        many += fmt::format(
            R"({}"s{}":{{"job_type":"echo","spec":{{"message":"x"}}}})", i == 0 ? "" : ",", i
        );
    }
    EXPECT_EQ(read(many + "}}").error().param, "steps");
}

TEST(WorkflowTemplates, AreReadWithTheirRequiredInputsAndRefusedWithoutThem) {
    for (const WorkflowTemplate& known : workflow_templates()) {
        std::string inputs;
        for (const std::string_view name : known.required) {
            inputs += fmt::format(R"({}"{}":"ds_1")", inputs.empty() ? "" : ",", name);
        }
        const auto whole =
            read(fmt::format(R"({{"template":"{}","inputs":{{{}}}}})", known.name, inputs));
        ASSERT_TRUE(whole) << known.name << ": " << whole.error().to_string();
        EXPECT_EQ(whole->template_name, known.name);
        EXPECT_TRUE(read_workflow(whole->text));
        const Error missing = read(fmt::format(R"({{"template":"{}"}})", known.name)).error();
        EXPECT_EQ(missing.param, fmt::format("inputs.{}", known.required.front()));
    }
    const Error near = read(R"({"template":"training_pipline"})").error();
    EXPECT_EQ(near.code, ErrorCode::kNotFound);
    EXPECT_EQ(near.advice, "did you mean 'training_pipeline'?");
    EXPECT_EQ(
        read(R"({"template":"training_pipeline","inputs":{"dataset_uri":"ds_1","epoch":5}})")
            .error()
            .param,
        "inputs.epoch"
    );
    EXPECT_EQ(
        read(R"({"template":"training_pipeline","inputs":{"dataset_uri":"ds_1","epochs":"x"}})")
            .error()
            .param,
        "steps.train.spec.epochs"
    );
    EXPECT_EQ(read(R"({"template":"training_pipeline","steps":{}})").error().param, "steps");
}

TEST(WorkflowDefinition, EveryJobTypeHasItsOutputs) {
    for (const protocol::JobTypeRow& type : protocol::job_types()) {
        ASSERT_NE(protocol::job_outputs(type.name), nullptr) << type.name;
        EXPECT_FALSE(protocol::job_outputs(type.name)->fields.empty()) << type.name;
    }
    EXPECT_EQ(protocol::job_outputs("nope"), nullptr);
}

}  // namespace
}  // namespace nexa::orchestration
