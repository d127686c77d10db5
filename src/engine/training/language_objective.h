// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "engine/nets/decoder.h"
#include "engine/training/examples.h"
#include "engine/training/objective.h"

namespace nexa::training {

/// Next-token loss of a decoder over tokenized examples: pretraining (all tokens count) and
/// supervised fine-tuning (the answers' tokens count). Examples of a batch are padded to its
/// longest; packed documents do not see each other.
class LanguageObjective final : public Objective {
public:
    /// Both must outlive the object. Errors: kInvalidArgument (no examples, one that is longer than
    /// the model's positions, a token outside its vocabulary).
    static Result<std::unique_ptr<LanguageObjective>> create(
        const nets::Decoder& decoder, const ExampleSet& examples
    );

    const nets::Parameters& parameters() const override { return decoder_.parameters(); }
    std::size_t size() const override { return examples_.size(); }
    std::uint64_t fingerprint() const override { return examples_.fingerprint(); }
    double weight(std::span<const std::size_t> examples) const override;
    std::int64_t tokens(std::span<const std::size_t> examples) const override;
    at::Tensor loss_sum(std::span<const std::size_t> examples) const override;
    /// On a processor only: an accelerator is one.
    std::unique_ptr<Objective> fork() const override;
    /// config.json.
    Status write_model_files(const std::filesystem::path& folder) const override;

private:
    LanguageObjective(const nets::Decoder& decoder, const ExampleSet& examples)
        : decoder_(decoder), examples_(examples) {}
    LanguageObjective(std::unique_ptr<const nets::Decoder> decoder, const ExampleSet& examples)
        : owned_(std::move(decoder)), decoder_(*owned_), examples_(examples) {}

    std::unique_ptr<const nets::Decoder> owned_;  ///< of a fork
    const nets::Decoder& decoder_;
    const ExampleSet& examples_;
};

}  // namespace nexa::training
