// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "text/pretokenizer.h"

namespace nexa::text {

/// A token matched in the text as it stands, before any pre-tokenization.
struct AddedToken {
    std::int32_t id = 0;
    std::string content = {};   ///< UTF-8, not empty
    bool special = true;        ///< control token: left out of decoded text on request
    bool normalized = false;    ///< as in tokenizer.json; these are looked for after the others
    bool in_vocabulary = true;  ///< listed in the file's vocabulary too, not only as added

    friend bool operator==(const AddedToken&, const AddedToken&) = default;
};

/// Two neighboring tokens that become one. Its place in the list is its rank: lower goes first.
struct MergeRule {
    std::int32_t left = 0;
    std::int32_t right = 0;
    std::int32_t result = 0;

    friend bool operator==(const MergeRule&, const MergeRule&) = default;
};

/// Everything a byte-level BPE tokenizer is.
struct BpeVocabulary {
    std::vector<std::string> tokens = {};  ///< by id: bytes; of an added token its content
    std::vector<MergeRule> merges = {};
    std::vector<AddedToken> added = {};
    PretokenizerOptions pretokenizer = {};
    bool ignore_merges = false;  ///< a pretoken that is itself a token is taken whole (Llama 3)

    friend bool operator==(const BpeVocabulary&, const BpeVocabulary&) = default;
};

/// What to make of the text of special tokens, such as "<|im_end|>", in the input.
enum class SpecialTokens : std::uint8_t {
    kMatch,      ///< they become their id
    kPlainText,  ///< they are text: for input that must not be able to forge them
};

enum class DecodeSpecial : std::uint8_t { kKeep, kSkip };

/// Remembers the ids of short pretokens seen before: natural text repeats itself. Of fixed size: a
/// newcomer replaces whoever has its place. Has no effect on results. One thread at a time.
class EncodeCache {
public:
    /// 64 bytes for each entry; `entries` is rounded up to a power of two.
    explicit EncodeCache(std::size_t entries = std::size_t{1} << 15U);
    EncodeCache(EncodeCache&&) noexcept;
    EncodeCache& operator=(EncodeCache&&) noexcept;
    ~EncodeCache();

private:
    friend class BpeTokenizer;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Text to token ids and back by byte-level BPE, with the ids that Hugging Face gives.
///
/// Immutable and cheap to copy; any thread may use it. Never blocks.
/// Invariants: every byte has a token, so any bytes can be encoded, and without added tokens in
/// play decode(encode(x)) == x for all bytes x, UTF-8 or not.
class BpeTokenizer {
public:
    /// Errors: kInvalidArgument naming the field: a byte without token, two tokens of one content,
    /// a merge whose result is not its parts joined, ids out of range.
    static Result<BpeTokenizer> create(BpeVocabulary vocabulary);

    /// Time O(n log n) in the longest pretoken, linear in their number.
    std::vector<std::int32_t> encode(
        std::string_view text, SpecialTokens special = SpecialTokens::kMatch
    ) const;

    /// Appends to `out`, and keeps what it learns in `cache`: for many texts in a row.
    void encode_to(
        std::string_view text,
        SpecialTokens special,
        EncodeCache& cache,
        std::vector<std::int32_t>& out
    ) const;

    /// The bytes of the ids, joined. May cut a character apart: see Utf8Assembler and
    /// replace_invalid_utf8. Errors: kInvalidArgument if an id is not in the vocabulary.
    Result<std::string> decode(
        std::span<const std::int32_t> ids, DecodeSpecial special = DecodeSpecial::kKeep
    ) const;

    /// The id of an added token's content or of an ordinary token's bytes.
    std::optional<std::int32_t> id_of(std::string_view bytes) const;
    /// The token's bytes; nothing if the id is not in the vocabulary.
    std::optional<std::string_view> token_of(std::int32_t id) const;
    bool is_special(std::int32_t id) const;

    /// Ids are 0 up to this, added tokens included.
    std::int32_t vocabulary_size() const;
    const BpeVocabulary& vocabulary() const;

private:
    struct Impl;
    explicit BpeTokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
    std::shared_ptr<const Impl> impl_;
};

}  // namespace nexa::text
