// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "text/bpe_tokenizer.h"

namespace nexa::text {

struct BpeTrainerOptions {
    /// Of the finished vocabulary, with the 256 bytes and the special tokens. Reached exactly
    /// unless the text runs out of pairs first; then the vocabulary is smaller.
    std::int32_t vocabulary_size = 32768;
    /// A pair seen less often is not merged.
    std::int64_t frequency_min = 2;
    /// They take the first ids, in this order. Their text in the corpus is ordinary text.
    std::vector<std::string> special_tokens = {};
    PretokenizerOptions pretokenizer = {};
    /// Longer pretokens (a genome, a base64 blob) are left out of the counts and only counted.
    std::size_t pretoken_bytes_max = std::size_t{16} << 10U;
};

struct BpeTrainerProgress {
    std::int64_t merges_done = 0;
    std::int64_t merges_total = 0;  ///< what is asked for; the text may end earlier
};

/// False cancels the training.
using BpeTrainerCallback = std::function<bool(const BpeTrainerProgress&)>;

/// Learns a byte-level BPE vocabulary: the same tokens, ids and merges as Hugging Face's BpeTrainer
/// with the whole byte alphabet, for any order and cut of the same texts. Ties in count go to the
/// smallest ids. Counts are 64 bits wide.
///
/// Feed the texts, then finish once. One thread. Memory grows with the distinct pretokens.
class BpeTrainer {
public:
    /// Errors: kInvalidArgument naming the option.
    static Result<BpeTrainer> create(BpeTrainerOptions options);
    BpeTrainer(BpeTrainer&&) noexcept;
    BpeTrainer& operator=(BpeTrainer&&) noexcept;
    ~BpeTrainer();

    /// Counts the pretokens of one text. A text is a unit: no pretoken spans two. A positive
    /// `times` counts it that often.
    void feed(std::string_view text, std::int64_t times = 1);

    /// Pretokens over the length limit so far.
    std::int64_t skipped_pretokens() const;
    std::size_t distinct_pretokens() const;

    /// Learns the merges; `progress` is called before the first and after each. The trainer is
    /// spent then. Errors: kCancelled if `progress` says so.
    Result<BpeTokenizer> finish(const BpeTrainerCallback& progress = {});

private:
    struct Impl;
    explicit BpeTrainer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// The same in one call for texts in memory.
Result<BpeTokenizer> train_bpe(
    std::span<const std::string_view> texts,
    BpeTrainerOptions options,
    const BpeTrainerCallback& progress = {}
);

}  // namespace nexa::text
