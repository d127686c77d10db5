// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/starting_model.h"

#include <utility>

#include <ATen/Context.h>

#include "models/presets.h"

namespace nexa::pipelines {

namespace {

using nets::LanguageModel;

/// Below this width the casts cost more than narrower products save.
constexpr std::int64_t kBf16HiddenMin = 512;

bool cpu_is_fast_in_bf16() {
    return __builtin_cpu_supports("amx-bf16") != 0 || __builtin_cpu_supports("avx512bf16") != 0;
}

nets::Precision precision_of(const protocol::TrainSpec& spec, const nets::Decoder& decoder) {
    if (spec.dtype != "auto") {
        return spec.dtype == "bf16" ? nets::Precision::kBfloat16 : nets::Precision::kFloat32;
    }
    const bool pays = decoder.device().is_cuda() ||
                      (decoder.config().hidden >= kBf16HiddenMin && cpu_is_fast_in_bf16());
    return pays ? nets::Precision::kBfloat16 : nets::Precision::kFloat32;
}

Result<LanguageModel> load_model(const std::filesystem::path& folder) {
    auto model = nets::load_language_model(folder);
    if (!model) {
        return std::move(model).error().at("model_id");
    }
    return model;
}

Result<LanguageModel> from_preset(
    const std::filesystem::path& dataset,
    const protocol::TrainSpec& spec,
    const RowsProgress& progress
) {
    auto preset = models::find_preset(spec.model_id);
    if (!preset) {
        return std::move(preset).error().at("model_id");
    }
    TRY(models::TextCodec codec, learn_codec(dataset, spec.vocab_size, progress));
    models::ModelConfig config = preset->with_vocab(codec.tokenizer().vocabulary_size());
    config.eos_id = codec.end_id();
    config.pad_id = codec.end_id();
    TRY(nets::Decoder decoder, nets::Decoder::create(config, spec.seed));
    return LanguageModel{.decoder = std::move(decoder), .codec = std::move(codec)};
}

}  // namespace

Result<nets::LanguageModel> make_starting_model(
    const Job& job,
    const std::filesystem::path& dataset,
    const protocol::TrainSpec& spec,
    const RowsProgress& progress
) {
    if (spec.tokenizer != "auto" && spec.tokenizer != "bpe") {
        return Error::invalid_argument("no tokenizer '{}' is staged for this job", spec.tokenizer)
            .at("tokenizer")
            .hint("'bpe' learns one on the data; a model that is given brings its own");
    }
    const auto folder = job.input("model");
    if (folder && spec.tokenizer == "bpe") {
        return Error::invalid_argument("a model that is given keeps its own tokenizer")
            .at("tokenizer")
            .hint("leave it out, or start from a preset");
    }
    TRY(LanguageModel model, folder ? load_model(*folder) : from_preset(dataset, spec, progress));
    if (at::globalContext().hasCUDA()) {
        model.decoder.to(at::Device(at::kCUDA));
    }
    model.decoder.set_precision(precision_of(spec, model.decoder));
    return model;
}

}  // namespace nexa::pipelines
