// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/deploy.h"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "core/file.h"
#include "core/json.h"
#include "core/json_codec.h"
#include "engine/nets/generate.h"
#include "engine/nets/language_model.h"
#include "models/safetensors.h"
#include "protocol/deploy_spec.h"
#include "protocol/job_results.h"

namespace nexa::pipelines {

namespace {

/// How the exported model answered one prompt.
struct SmokeTest {
    static constexpr std::string_view kName = "SmokeTest";
    std::string prompt;
    std::string answer;
    std::int64_t tokens = 0;
    double seconds = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("prompt", &SmokeTest::prompt, "Asked").required(),
            field("answer", &SmokeTest::answer, "Said, without special tokens").required(),
            field("tokens", &SmokeTest::tokens, "Generated").required(),
            field("seconds", &SmokeTest::seconds, "For all of it").required().unit("s"),
        };
    }
};

/// deployment.json.
struct DeploymentCard {
    static constexpr std::string_view kName = "DeploymentCard";
    std::string deployment_id;
    std::string name;
    std::string region;
    std::string source;
    std::int64_t parameters = 0;
    SmokeTest smoke_test;

    static constexpr auto fields() {
        return std::tuple{
            field("deployment_id", &DeploymentCard::deployment_id, "The deployment").required(),
            field("name", &DeploymentCard::name, "Model name on the gateway").required(),
            field("region", &DeploymentCard::region, "Pool of gateways").required(),
            field("source", &DeploymentCard::source, "The checkpoint it is made of").required(),
            field("parameters", &DeploymentCard::parameters, "Of the model").required(),
            field("smoke_test", &DeploymentCard::smoke_test, "How it answered").required(),
        };
    }
};

NEXA_JSON_CODEC(DeploymentCard);

namespace fs = std::filesystem;
using nets::LanguageModel;

constexpr std::string_view kFolder = "deployment";
constexpr std::string_view kPrompt = "Hello";
constexpr std::int64_t kAnswerTokensMax = 8;
constexpr int kSteps = 4;

/// The type that the checkpoint's weights are stored in: the export is no larger.
Result<nets::StoredAs> stored_as(const fs::path& folder) {
    TRY(const auto file, models::Safetensors::open(folder / "model.safetensors"));
    const auto all_are = [&](models::Dtype dtype) {
        return std::ranges::all_of(file.tensors(), [&](const models::TensorView& tensor) {
            return tensor.dtype == dtype;
        });
    };
    if (all_are(models::Dtype::kBf16)) {
        return nets::StoredAs::kBfloat16;
    }
    return all_are(models::Dtype::kF16) ? nets::StoredAs::kFloat16 : nets::StoredAs::kFloat32;
}

/// The prompt's ids, or as many of its last as leave room for an answer.
Result<std::vector<std::int64_t>> prompt_ids(const LanguageModel& model) {
    const std::vector<text::ChatMessage> question{{"user", std::string(kPrompt)}};
    TRY(const auto encoded, model.codec.encode_question(question));
    const auto room = static_cast<std::size_t>(model.decoder.config().max_positions - 1);
    const std::size_t taken = std::min(encoded.size(), room);
    return std::vector<std::int64_t>(
        encoded.end() - static_cast<std::ptrdiff_t>(taken), encoded.end()
    );
}

Status check_logits(const LanguageModel& model, const std::vector<std::int64_t>& ids) {
    const std::vector<std::int64_t> lengths{static_cast<std::int64_t>(ids.size())};
    const auto seen =
        model.decoder.prefill(at::tensor(ids).unsqueeze(0), lengths, lengths.front() + 1);
    if (!at::isfinite(seen.logits).all().item<bool>()) {
        return Error::invalid_argument("the model's logits are not finite: its weights are broken")
            .hint("deploy an earlier checkpoint, or train again with a lower learning rate");
    }
    return {};
}

Result<SmokeTest> try_out(Job& job, const LanguageModel& model) {
    const auto begun = job.clock.steady_now();
    TRY(const auto ids, prompt_ids(model));
    if (ids.empty()) {
        return Error::invalid_argument("a model with one position can answer nothing");
    }
    TRY_STATUS(check_logits(model, ids));
    const nets::SamplingOptions options{
        .new_tokens_max = kAnswerTokensMax, .stop_ids = {model.codec.end_id()}
    };
    const std::vector<std::vector<std::int64_t>> prompts{ids};
    TRY(const auto answers,
        nets::generate(model.decoder, prompts, options, [&] { return job.cancel.cancelled(); }));
    const std::vector<std::int64_t>& tokens = answers.front().tokens;
    // A model may have more rows than its tokenizer has tokens; those it may say, but not spell.
    std::vector<std::int32_t> spelled;
    for (const std::int64_t token : tokens) {
        if (token < model.codec.tokenizer().vocabulary_size()) {
            spelled.push_back(static_cast<std::int32_t>(token));
        }
    }
    TRY(std::string answer, model.codec.decode(spelled));
    const std::chrono::duration<double> took = job.clock.steady_now() - begun;
    return SmokeTest{
        .prompt = std::string(kPrompt),
        .answer = std::move(answer),
        .tokens = static_cast<std::int64_t>(tokens.size()),
        .seconds = took.count(),
    };
}

std::string source_of(const Job& job) {
    const auto found = std::ranges::find(job.spec.inputs, "model", &protocol::EngineInput::name);
    return found == job.spec.inputs.end() ? "" : found->artifact_id;
}

/// Says how far the job is, and whether it is to go on.
Status step(Job& job, int done) {
    job.events.progress({.phase = "deploy", .done = done, .total = kSteps, .unit = "steps"});
    return job.cancel.check();
}

/// From the checkpoint to the folder of files, and how what lies there answers.
Result<DeploymentCard> make(Job& job, const fs::path& checkpoint, const fs::path& folder) {
    TRY_STATUS(step(job, 0));
    DeploymentCard card{.source = source_of(job)};
    {
        TRY(const nets::StoredAs stored, stored_as(checkpoint));
        TRY(const LanguageModel model, nets::load_language_model(checkpoint));
        TRY_STATUS(step(job, 1));
        TRY_STATUS(nets::export_language_model(folder, model, stored));
        card.parameters = model.decoder.config().parameter_count();
    }
    TRY_STATUS(step(job, 2));
    // What is served is what was written, not what is in memory.
    auto served = nets::load_language_model(folder);
    if (!served) {
        return std::move(served).error().while_doing("load the exported model again");
    }
    TRY_STATUS(step(job, 3));
    auto answered = try_out(job, *served);
    if (!answered) {
        return std::move(answered).error().while_doing("smoke test");
    }
    card.smoke_test = *std::move(answered);
    return card;
}

}  // namespace

Result<protocol::EngineResult> run_deploy(Job& job) {
    TRY(const auto spec, from_json<protocol::DeploySpec>(job.spec.payload.text));
    const auto checkpoint = job.input("model");
    if (!checkpoint) {
        return Error::invalid_argument("'{}' is no trained model", spec.model_id)
            .at("model_id")
            .hint("give the ckpt_… id of one: nexa artifact ls --kind checkpoint");
    }
    const std::string deployment_id = job.artifact_id("deployment");
    TRY(const fs::path folder, job.make_output(kFolder));
    auto made = make(job, *checkpoint, folder);
    if (!made) {
        return std::move(made).error().while_doing(fmt::format("deploy {}", spec.model_id));
    }
    DeploymentCard& card = *made;
    card.deployment_id = deployment_id;
    card.name = spec.name.value_or(deployment_id);
    card.region = spec.region;
    TRY_STATUS(write_file_atomically(folder / "deployment.json", to_json(card) + "\n"));
    TRY_STATUS(step(job, kSteps));

    protocol::EngineResult ended;
    ended.result = JsonText{to_json(protocol::DeployResult{.deployment_id = deployment_id})};
    ended.outputs.push_back({
        .artifact_id = deployment_id,
        .kind = "deployment",
        .path = std::string(kFolder),
        .name = card.name,
        .metrics =
            {{"parameters", static_cast<double>(card.parameters)},
             {"smoke_test_tokens", static_cast<double>(card.smoke_test.tokens)}},
    });
    return ended;
}

}  // namespace nexa::pipelines
