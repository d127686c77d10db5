// SPDX-License-Identifier: Apache-2.0
#include "text/bpe_trainer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <queue>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/check.h"
#include "core/utf8.h"
#include "text/byte_level.h"
#include "text/pair_table_internal.h"
#include "text/utf8.h"

namespace nexa::text {
namespace {

constexpr std::int32_t kBytes = 256;

// A distinct pretoken: its symbols lie in one array for all, and shrink in place.
struct Word {
    std::size_t begin = 0;
    std::size_t size = 0;
    std::int64_t count = 0;
};

struct PairInfo {
    std::int64_t count = 0;
    std::vector<std::uint32_t> words;  // where the pair is, or once was; each at most once in a row
};

struct Candidate {
    std::int64_t count = 0;
    std::int32_t left = 0;
    std::int32_t right = 0;

    // The heap's top: the largest count, then the smallest ids.
    friend bool operator<(const Candidate& a, const Candidate& b) {
        return std::tuple(a.count, b.left, b.right) < std::tuple(b.count, a.left, a.right);
    }
};

struct Pair {
    std::int32_t left = 0;
    std::int32_t right = 0;
};

// The corpus as symbols, with the count of every pair of neighbors. Counts overlap: "aaa" holds
// the pair (a, a) twice.
class PairCounts {
public:
    void add_word(std::span<const std::int32_t> symbols, std::int64_t count) {
        const auto index = static_cast<std::uint32_t>(words_.size());
        words_.push_back({symbols_.size(), symbols.size(), count});
        symbols_.insert(symbols_.end(), symbols.begin(), symbols.end());
        for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
            change({symbols[i], symbols[i + 1]}, count, index);
        }
    }

    void start() {
        for (const auto& [key, info] : pairs_) {
            push(key, info.count);
        }
        touched_.clear();
    }

    // The pair with the largest count; nothing when none reaches `count_min`.
    std::optional<Pair> take_best(std::int64_t count_min) {
        while (!heap_.empty()) {
            const Candidate best = heap_.top();
            heap_.pop();
            const std::int64_t count = count_of(best);
            if (count != best.count) {  // it was counted down since it was pushed
                if (count > 0) {
                    heap_.push({count, best.left, best.right});
                }
                continue;
            }
            if (count < std::max<std::int64_t>(count_min, 1)) {
                return std::nullopt;
            }
            return Pair{best.left, best.right};
        }
        return std::nullopt;
    }

    void merge(Pair pair, std::int32_t result) {
        const auto found = pairs_.find(internal::pair_key(pair.left, pair.right));
        NEXA_CHECK(found != pairs_.end());
        const std::vector<std::uint32_t> words = std::move(found->second.words);
        pairs_.erase(found);
        for (const std::uint32_t word : words) {
            merge_in_word(word, pair, result);
        }
        std::ranges::sort(touched_);
        touched_.erase(std::ranges::unique(touched_).begin(), touched_.end());
        for (const std::uint64_t key : touched_) {
            if (const auto info = pairs_.find(key); info != pairs_.end()) {
                push(key, info->second.count);
            }
        }
        touched_.clear();
    }

private:
    void push(std::uint64_t key, std::int64_t count) {
        if (count > 0) {
            heap_.push({
                count,
                static_cast<std::int32_t>(key >> 32U),
                static_cast<std::int32_t>(key & 0xFFFFFFFFU),
            });
        }
    }

    std::int64_t count_of(const Candidate& candidate) const {
        const auto found = pairs_.find(internal::pair_key(candidate.left, candidate.right));
        return found == pairs_.end() ? 0 : found->second.count;
    }

    void change(Pair pair, std::int64_t by, std::uint32_t word) {
        const std::uint64_t key = internal::pair_key(pair.left, pair.right);
        if (by < 0) {
            // The pair being merged is gone from the table already.
            if (const auto found = pairs_.find(key); found != pairs_.end()) {
                found->second.count += by;
            }
            return;
        }
        PairInfo& info = pairs_[key];
        info.count += by;
        touched_.push_back(key);
        if (info.words.empty() || info.words.back() != word) {
            info.words.push_back(word);
        }
    }

    // From left to right: in "aaa" the first two merge.
    void merge_in_word(std::uint32_t index, Pair pair, std::int32_t result) {
        Word& word = words_[index];
        std::int32_t* const symbols = symbols_.data() + word.begin;
        std::size_t to = 0;
        for (std::size_t from = 0; from < word.size;) {
            const bool here = from + 1 < word.size && symbols[from] == pair.left &&
                              symbols[from + 1] == pair.right;
            if (!here) {
                symbols[to++] = symbols[from++];
                continue;
            }
            if (to > 0) {
                change({symbols[to - 1], pair.left}, -word.count, index);
                change({symbols[to - 1], result}, word.count, index);
            }
            if (from + 2 < word.size) {
                change({pair.right, symbols[from + 2]}, -word.count, index);
                change({result, symbols[from + 2]}, word.count, index);
            }
            symbols[to++] = result;
            from += 2;
        }
        word.size = to;
    }

    std::vector<std::int32_t> symbols_;
    std::vector<Word> words_;
    std::unordered_map<std::uint64_t, PairInfo> pairs_;
    std::priority_queue<Candidate> heap_;
    std::vector<std::uint64_t> touched_;  // pairs that the merge at hand made more frequent
};

struct ViewHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view view) const {
        return std::hash<std::string_view>{}(view);
    }
};

Status check_special_tokens(const std::vector<std::string>& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const std::string place = fmt::format("special_tokens[{}]", i);
        if (tokens[i].empty() || !is_utf8(tokens[i])) {
            return Error::invalid_argument("a special token must be UTF-8 and not empty").at(place);
        }
        const std::optional<std::string> bytes = from_byte_level(tokens[i]);
        if (bytes && bytes->size() == 1) {
            return Error::invalid_argument(
                       "special token '{}' is how the vocabulary writes a byte", tokens[i]
            )
                .at(place)
                .hint("use a longer one, such as <|end|>");
        }
        if (std::find(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(i), tokens[i]) !=
            tokens.begin() + static_cast<std::ptrdiff_t>(i)) {
            return Error::invalid_argument("special token '{}' is there twice", quotable(tokens[i]))
                .at(place);
        }
    }
    return {};
}

}  // namespace

struct BpeTrainer::Impl {
    BpeTrainerOptions options;
    std::unordered_map<std::string, std::int64_t, ViewHash, std::equal_to<>> counts;
    std::int64_t skipped = 0;
};

BpeTrainer::BpeTrainer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BpeTrainer::BpeTrainer(BpeTrainer&&) noexcept = default;
BpeTrainer& BpeTrainer::operator=(BpeTrainer&&) noexcept = default;
BpeTrainer::~BpeTrainer() = default;

Result<BpeTrainer> BpeTrainer::create(BpeTrainerOptions options) {
    TRY_STATUS(check_special_tokens(options.special_tokens));
    const std::int64_t size_min = kBytes + static_cast<std::int64_t>(options.special_tokens.size());
    if (options.vocabulary_size < size_min) {
        return Error::invalid_argument(
                   "must be at least {}, is {}: 256 bytes and {} special tokens",
                   size_min,
                   options.vocabulary_size,
                   options.special_tokens.size()
        )
            .at("vocabulary_size");
    }
    if (options.frequency_min < 0) {
        return Error::invalid_argument("must not be negative, is {}", options.frequency_min)
            .at("frequency_min");
    }
    auto impl = std::make_unique<Impl>();
    impl->options = std::move(options);
    return BpeTrainer(std::move(impl));
}

void BpeTrainer::feed(std::string_view text, std::int64_t times) {
    NEXA_CHECK(times > 0);
    PretokenCursor cursor(text, impl_->options.pretokenizer);
    std::array<std::string_view, 256> pretokens;
    while (const std::size_t count = cursor.next(pretokens)) {
        for (const std::string_view pretoken : std::span(pretokens).first(count)) {
            if (pretoken.size() > impl_->options.pretoken_bytes_max) {
                impl_->skipped += times;
                continue;
            }
            const auto found = impl_->counts.find(pretoken);
            if (found != impl_->counts.end()) {
                found->second += times;
            } else {
                impl_->counts.emplace(pretoken, times);
            }
        }
    }
}

std::int64_t BpeTrainer::skipped_pretokens() const {
    return impl_->skipped;
}

std::size_t BpeTrainer::distinct_pretokens() const {
    return impl_->counts.size();
}

namespace {

// The vocabulary as it grows. A merge that spells a token that is there already, such as a special
// token's text, takes that token's id.
class GrowingVocabulary {
public:
    explicit GrowingVocabulary(const BpeTrainerOptions& options) {
        vocabulary_.pretokenizer = options.pretokenizer;
        for (const std::string& content : options.special_tokens) {
            const std::int32_t id = size();
            vocabulary_.tokens.push_back(content);
            vocabulary_.added.push_back({.id = id, .content = content});
            const std::optional<std::string> bytes = from_byte_level(content);
            spelled_.push_back(bytes.value_or(""));
            if (bytes) {
                ids_.emplace(*bytes, id);
            }
        }
        for (const std::uint8_t byte : bytes_in_alphabet_order()) {
            byte_ids_[byte] = token_for(std::string(1, static_cast<char>(byte)));
        }
    }

    std::int32_t size() const { return static_cast<std::int32_t>(vocabulary_.tokens.size()); }
    std::int32_t id_of_byte(char byte) const { return byte_ids_[static_cast<std::uint8_t>(byte)]; }

    std::int32_t add_merge(Pair pair) {
        const std::int32_t result = token_for(
            spelled_[static_cast<std::size_t>(pair.left)] +
            spelled_[static_cast<std::size_t>(pair.right)]
        );
        vocabulary_.merges.push_back({pair.left, pair.right, result});
        return result;
    }

    BpeVocabulary take() { return std::move(vocabulary_); }

private:
    std::int32_t token_for(std::string bytes) {
        const auto [found, is_new] = ids_.emplace(bytes, size());
        if (is_new) {
            vocabulary_.tokens.push_back(bytes);
            spelled_.push_back(std::move(bytes));
        }
        return found->second;
    }

    BpeVocabulary vocabulary_;
    std::vector<std::string> spelled_;  // by id, as bytes of the corpus
    std::unordered_map<std::string, std::int32_t> ids_;
    std::array<std::int32_t, 256> byte_ids_{};
};

}  // namespace

Result<BpeTokenizer> BpeTrainer::finish(const BpeTrainerCallback& progress) {
    const BpeTrainerOptions& options = impl_->options;
    GrowingVocabulary vocabulary(options);
    PairCounts pairs;
    std::vector<std::int32_t> symbols;
    for (const auto& [word, count] : std::exchange(impl_->counts, {})) {
        symbols.clear();
        for (const char byte : word) {
            symbols.push_back(vocabulary.id_of_byte(byte));
        }
        pairs.add_word(symbols, count);
    }
    pairs.start();

    BpeTrainerProgress state{.merges_total = options.vocabulary_size - vocabulary.size()};
    const auto may_go_on = [&] { return !progress || progress(state); };
    bool wanted = may_go_on();
    while (wanted && vocabulary.size() < options.vocabulary_size) {
        const std::optional<Pair> best = pairs.take_best(options.frequency_min);
        if (!best) {
            break;
        }
        pairs.merge(*best, vocabulary.add_merge(*best));
        ++state.merges_done;
        wanted = may_go_on();
    }
    if (!wanted) {
        return Error::cancelled(
            "training a tokenizer was cancelled after {} of {} merges",
            state.merges_done,
            state.merges_total
        );
    }
    return BpeTokenizer::create(vocabulary.take());
}

Result<BpeTokenizer> train_bpe(
    std::span<const std::string_view> texts,
    BpeTrainerOptions options,
    const BpeTrainerCallback& progress
) {
    TRY(BpeTrainer trainer, BpeTrainer::create(std::move(options)));
    for (const std::string_view text : texts) {
        trainer.feed(text);
    }
    return trainer.finish(progress);
}

}  // namespace nexa::text
