// SPDX-License-Identifier: Apache-2.0
#include "engine/nets/language_model.h"

#include <string>
#include <utility>

#include "core/file.h"
#include "core/json_writer.h"

namespace nexa::nets {

namespace {

constexpr std::size_t kIndent = 2;

/// What such servers take as the defaults of an answer.
std::string generation_config(const LanguageModel& model) {
    JsonWriter writer(kIndent);
    writer.begin_object();
    if (const auto bos = model.decoder.config().bos_id) {
        writer.key("bos_token_id");
        writer.whole(*bos);
    }
    writer.key("eos_token_id");
    writer.whole(model.codec.end_id());
    writer.key("pad_token_id");
    writer.whole(model.decoder.config().pad_id.value_or(model.codec.end_id()));
    writer.end_object();
    return writer.take() + "\n";
}

}  // namespace

Result<LanguageModel> load_language_model(const std::filesystem::path& folder) {
    TRY(models::TextCodec codec, models::TextCodec::load(folder));
    TRY(Decoder decoder, load_decoder(folder));
    const std::int64_t tokens = codec.tokenizer().vocabulary_size();
    if (tokens > decoder.config().vocab) {
        return Error::invalid_argument(
                   "the tokenizer has {} tokens, the model only {}", tokens, decoder.config().vocab
        )
            .hint("the folder's tokenizer.json belongs to another model");
    }
    return LanguageModel{.decoder = std::move(decoder), .codec = std::move(codec)};
}

Status export_language_model(
    const std::filesystem::path& folder, const LanguageModel& model, StoredAs stored_as
) {
    TRY_STATUS(export_decoder(folder, model.decoder, stored_as));
    TRY_STATUS(model.codec.save(folder));
    return write_file_atomically(folder / "generation_config.json", generation_config(model));
}

}  // namespace nexa::nets
