// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "core/check.h"
#include "engine/nets/decoder.h"
#include "engine/training/examples.h"

namespace nexa::training {

/// A model of a few thousand parameters, on one thread, for this module's tests.
inline nets::Decoder tiny_decoder(std::uint64_t seed) {
    at::set_num_threads(1);
    const models::ModelConfig config{
        .layers = 2,
        .hidden = 16,
        .heads = 4,
        .kv_heads = 2,
        .head_dim = 4,
        .ffn = 24,
        .vocab = 20,
        .max_positions = 32,
    };
    Result<nets::Decoder> decoder = nets::Decoder::create(config, seed);
    NEXA_CHECK(decoder.has_value());
    return *std::move(decoder);
}

/// Sequences that count up by their first token, of 4 to 9 tokens, learned from the third on.
inline ExampleSet counting_examples(std::int32_t count) {
    ExampleSet set;
    for (std::int32_t i = 0; i < count; ++i) {
        std::vector<std::int32_t> tokens;
        std::vector<float> weights;
        for (std::int32_t k = 0; k < 4 + i % 6; ++k) {
            tokens.push_back((i + k * (1 + i % 3)) % 20);
            weights.push_back(k < 2 ? 0.0F : 1.0F);
        }
        NEXA_CHECK(set.add(tokens, weights).has_value());
    }
    return set;
}

inline bool same_weights(const nets::Parameters& a, const nets::Parameters& b) {
    return a.size() == b.size() &&
           std::ranges::equal(a, b, [](const nets::Parameter& x, const nets::Parameter& y) {
               return x.name == y.name && at::equal(x.value, y.value);
           });
}

/// A folder of the test's own, gone with it.
class TemporaryFolder {
public:
    TemporaryFolder() {
        const auto* info = testing::UnitTest::GetInstance()->current_test_info();
        path_ = std::filesystem::path(testing::TempDir()) /
                (std::string("nexa_training_") + info->test_suite_name() + "_" + info->name());
        std::filesystem::remove_all(path_);
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace nexa::training
