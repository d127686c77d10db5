// SPDX-License-Identifier: Apache-2.0
#include "engine/training/language_objective.h"

#include <algorithm>

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "engine/nets/loss.h"
#include "engine/nets/weights.h"

namespace nexa::training {
namespace {

/// Lays examples side by side. The last token of each is only ever a target.
class BatchBuilder {
public:
    BatchBuilder(std::int64_t rows, std::int64_t length, bool packed)
        : length_(length), ids_(at::zeros({rows, length}, at::kLong)) {
        if (packed) {
            positions_ = at::zeros({rows, length}, at::kLong);
            documents_ = at::zeros({rows, length}, at::kLong);
        }
    }

    void set_row(std::int64_t row, const ExampleView& example) {
        std::int64_t* ids = ids_.mutable_data_ptr<std::int64_t>() + row * length_;
        for (std::size_t i = 0; i + 1 < example.tokens.size(); ++i) {
            ids[i] = example.tokens[i];
            if (const float weight = example.weights[i + 1]; weight != 0.0F) {
                target_positions_.push_back(row * length_ + static_cast<std::int64_t>(i));
                target_ids_.push_back(example.tokens[i + 1]);
                target_weights_.push_back(weight);
            }
        }
        if (positions_.defined()) {
            set_documents(row, example);
        }
    }

    nets::TokenBatch batch(const at::Device& device) const {
        const auto moved = [&](const at::Tensor& tensor) {
            return tensor.defined() ? tensor.to(device) : tensor;
        };
        return {moved(ids_), moved(positions_), moved(documents_)};
    }

    nets::Targets targets(const at::Device& device) const {
        return {
            at::tensor(target_positions_).to(device),
            at::tensor(target_ids_).to(device),
            at::tensor(target_weights_).to(device),
        };
    }

private:
    void set_documents(std::int64_t row, const ExampleView& example) {
        std::int64_t* positions = positions_.mutable_data_ptr<std::int64_t>() + row * length_;
        std::int64_t* documents = documents_.mutable_data_ptr<std::int64_t>() + row * length_;
        std::int64_t document = -1;
        std::int64_t begin = 0;
        std::size_t next = 0;
        for (std::int64_t i = 0; i < length_; ++i) {
            if (next < example.starts.size() && example.starts[next] == i) {
                ++document;
                begin = i;
                ++next;
            }
            positions[i] = i - begin;
            documents[i] = document;
        }
    }

    std::int64_t length_;
    at::Tensor ids_, positions_, documents_;
    std::vector<std::int64_t> target_positions_, target_ids_;
    std::vector<float> target_weights_;
};

}  // namespace

Result<std::unique_ptr<LanguageObjective>> LanguageObjective::create(
    const nets::Decoder& decoder, const ExampleSet& examples
) {
    const models::ModelConfig& config = decoder.config();
    if (examples.size() == 0) {
        return Error::invalid_argument("there are no examples to train on");
    }
    if (static_cast<std::int64_t>(examples.longest()) > config.max_positions + 1) {
        return Error::invalid_argument(
                   "an example has {} tokens, the model takes {}",
                   examples.longest(),
                   config.max_positions + 1
        )
            .hint("cut or drop longer examples, or give the model more max_positions");
    }
    if (examples.largest_token() >= config.vocab) {
        return Error::invalid_argument(
            "an example holds token {}, the model's vocabulary has {}",
            examples.largest_token(),
            config.vocab
        );
    }
    return std::unique_ptr<LanguageObjective>(new LanguageObjective(decoder, examples));
}

double LanguageObjective::weight(std::span<const std::size_t> examples) const {
    double sum = 0.0;
    for (const std::size_t example : examples) {
        sum += examples_[example].weight;
    }
    return sum;
}

std::int64_t LanguageObjective::tokens(std::span<const std::size_t> examples) const {
    std::int64_t count = 0;
    for (const std::size_t example : examples) {
        count += static_cast<std::int64_t>(examples_[example].tokens.size()) - 1;
    }
    return count;
}

at::Tensor LanguageObjective::loss_sum(std::span<const std::size_t> examples) const {
    std::size_t longest = 0;
    bool packed = false;
    for (const std::size_t example : examples) {
        const ExampleView view = examples_[example];
        longest = std::max(longest, view.tokens.size());
        packed = packed || view.starts.size() > 1;
    }
    BatchBuilder builder(
        static_cast<std::int64_t>(examples.size()), static_cast<std::int64_t>(longest) - 1, packed
    );
    for (std::size_t row = 0; row < examples.size(); ++row) {
        builder.set_row(static_cast<std::int64_t>(row), examples_[examples[row]]);
    }
    const at::Device device = decoder_.device();
    return nets::summed_loss(decoder_, builder.batch(device), builder.targets(device));
}

std::unique_ptr<Objective> LanguageObjective::fork() const {
    if (!decoder_.device().is_cpu()) {
        return nullptr;
    }
    auto decoder = std::make_unique<const nets::Decoder>(decoder_.fork());
    return std::unique_ptr<Objective>(new LanguageObjective(std::move(decoder), examples_));
}

Status LanguageObjective::write_model_files(const std::filesystem::path& folder) const {
    return nets::write_config(folder, decoder_.config(), nets::StoredAs::kFloat32);
}

}  // namespace nexa::training
