// SPDX-License-Identifier: Apache-2.0
#include "text/bpe_tokenizer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <unordered_map>
#include <utility>

#include "core/utf8.h"
#include "text/bpe_merge_internal.h"
#include "text/byte_level.h"
#include "text/pair_table_internal.h"
#include "text/special_matcher_internal.h"
#include "text/utf8.h"

namespace nexa::text {
namespace {

constexpr std::size_t kBatch = 256;
// Below this the cost of making a cache is not won back.
constexpr std::size_t kCachedTextBytesMin = std::size_t{32} << 10U;
constexpr std::size_t kOwnCacheEntries = std::size_t{1} << 13U;

using IdsByBytes = std::unordered_map<std::string, std::int32_t>;

// Vocabulary bytes of a token: an added token's content is written as it stands, so it spells
// bytes only if it happens to be text of the byte-level alphabet.
std::optional<std::string> spelled_bytes(const AddedToken& token) {
    return token.in_vocabulary ? from_byte_level(token.content) : std::nullopt;
}

}  // namespace

struct BpeTokenizer::Impl {
    explicit Impl(BpeVocabulary parts)
        : vocabulary(std::move(parts)), merges(vocabulary.merges.size()) {}

    Status index_added();
    Status index_tokens();
    Status index_bytes();
    Status index_merges();
    void make_matchers();

    // One text between added tokens.
    void encode_plain(
        std::string_view text, EncodeCache::Impl* cache, std::vector<std::int32_t>& out
    ) const;
    void encode_pretoken(std::string_view pretoken, std::vector<std::int32_t>& symbols) const;

    BpeVocabulary vocabulary;
    std::vector<std::uint8_t> added_flags;  // by id: 0 ordinary, 1 added, 2 added and special
    std::array<std::int32_t, 256> byte_ids{};
    IdsByBytes ids_by_bytes;
    std::unordered_map<std::string_view, std::int32_t> ids_by_content;
    internal::PairTable merges;
    std::vector<internal::SpecialMatcher> matchers;  // tried one after the other
};

// ---- the cache ----------------------------------------------------------------------------------

struct EncodeCache::Impl {
    static constexpr std::size_t kKeyBytes = 24;
    static constexpr std::size_t kIds = 8;
    using Key = std::array<std::uint64_t, 3>;

    struct alignas(64) Entry {
        Key key{};
        std::array<std::int32_t, kIds> ids{};
        std::uint8_t key_bytes = 0;  // 0: nobody's
        std::uint8_t id_count = 0;
    };
    static_assert(sizeof(Entry) == 64);

    explicit Impl(std::size_t entries) : slots(std::bit_ceil(std::max<std::size_t>(entries, 16))) {}

    static bool fits(std::string_view pretoken) {
        return !pretoken.empty() && pretoken.size() <= kKeyBytes;
    }

    static Key key_of(std::string_view pretoken) {
        Key key{};
        std::memcpy(key.data(), pretoken.data(), pretoken.size());
        return key;
    }

    Entry& slot_of(const Key& key, std::size_t bytes) {
        std::uint64_t hash = (key[0] ^ bytes) * 0x9E3779B97F4A7C15ULL;
        hash = (std::rotl(hash, 29) ^ key[1]) * 0xD6E8FEB86659FD93ULL;
        hash = (std::rotl(hash, 29) ^ key[2]) * 0xA0761D6478BD642FULL;
        return slots[static_cast<std::size_t>(hash ^ (hash >> 32U)) & (slots.size() - 1)];
    }

    // Another tokenizer's ids are worth nothing here.
    void serve(const std::shared_ptr<const void>& tokenizer) {
        if (owner != tokenizer) {
            std::ranges::fill(slots, Entry{});
            owner = tokenizer;
        }
    }

    std::vector<Entry> slots;
    std::vector<std::int32_t> symbols;  // scratch of the pretoken at hand
    std::shared_ptr<const void> owner;  // held, so that its address is not given to another
};

EncodeCache::EncodeCache(std::size_t entries) : impl_(std::make_unique<Impl>(entries)) {}
EncodeCache::EncodeCache(EncodeCache&&) noexcept = default;
EncodeCache& EncodeCache::operator=(EncodeCache&&) noexcept = default;
EncodeCache::~EncodeCache() = default;

// ---- building -----------------------------------------------------------------------------------

Status BpeTokenizer::Impl::index_added() {
    added_flags.assign(vocabulary.tokens.size(), 0);
    for (std::size_t i = 0; i < vocabulary.added.size(); ++i) {
        const AddedToken& token = vocabulary.added[i];
        const auto id = static_cast<std::size_t>(token.id);
        const std::string place = fmt::format("added[{}]", i);
        if (token.id < 0 || id >= added_flags.size()) {
            return Error::invalid_argument(
                       "added token has id {} in a vocabulary of {}", token.id, added_flags.size()
            )
                .at(place);
        }
        if (token.content.empty() || !is_utf8(token.content)) {
            return Error::invalid_argument("added token {} is empty or not UTF-8", token.id)
                .at(place);
        }
        if (vocabulary.tokens[id] != token.content) {
            return Error::invalid_argument(
                       "added token '{}' has id {}, which is another token's",
                       quotable(token.content),
                       token.id
            )
                .at(place);
        }
        if (added_flags[id] != 0 || !ids_by_content.emplace(token.content, token.id).second) {
            return Error::invalid_argument(
                       "added token '{}' is there twice", quotable(token.content)
            )
                .at(place);
        }
        added_flags[id] = token.special ? 2 : 1;
    }
    return {};
}

Status BpeTokenizer::Impl::index_tokens() {
    const std::size_t size = vocabulary.tokens.size();
    if (size > std::numeric_limits<std::int32_t>::max()) {
        return Error::invalid_argument("a vocabulary of {} tokens is too large", size).at("tokens");
    }
    const auto add = [this](std::string bytes, std::int32_t id) -> Status {
        const auto [found, is_new] = ids_by_bytes.emplace(std::move(bytes), id);
        if (!is_new) {
            return Error::invalid_argument("tokens {} and {} are the same bytes", found->second, id)
                .at("tokens");
        }
        return {};
    };
    ids_by_bytes.reserve(size);
    for (const AddedToken& token : vocabulary.added) {
        if (std::optional<std::string> bytes = spelled_bytes(token)) {
            TRY_STATUS(add(*std::move(bytes), token.id));
        }
    }
    for (std::size_t id = 0; id < size; ++id) {
        if (added_flags[id] != 0) {
            continue;
        }
        if (vocabulary.tokens[id].empty()) {
            return Error::invalid_argument("token {} is empty", id).at("tokens");
        }
        TRY_STATUS(add(vocabulary.tokens[id], static_cast<std::int32_t>(id)));
    }
    return {};
}

Status BpeTokenizer::Impl::index_bytes() {
    for (std::size_t byte = 0; byte < byte_ids.size(); ++byte) {
        const auto found = ids_by_bytes.find(std::string(1, static_cast<char>(byte)));
        if (found == ids_by_bytes.end()) {
            return Error::invalid_argument("byte {:#04x} has no token", byte)
                .at("tokens")
                .hint("train with the whole byte-level alphabet");
        }
        byte_ids[byte] = found->second;
    }
    return {};
}

Status BpeTokenizer::Impl::index_merges() {
    // What the ids spell inside pretokens, added tokens of the vocabulary included.
    std::vector<std::string_view> spelled(vocabulary.tokens.size());
    for (const auto& [bytes, id] : ids_by_bytes) {
        spelled[static_cast<std::size_t>(id)] = bytes;
    }
    for (std::size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
        const auto [left, right, result] = vocabulary.merges[rank];
        const std::string place = fmt::format("merges[{}]", rank);
        for (const std::int32_t id : {left, right, result}) {
            if (id < 0 || static_cast<std::size_t>(id) >= spelled.size() ||
                spelled[static_cast<std::size_t>(id)].empty()) {
                return Error::invalid_argument("merge names token {}, which text cannot hold", id)
                    .at(place);
            }
        }
        const auto spell = [&](std::int32_t id) { return spelled[static_cast<std::size_t>(id)]; };
        const std::string_view whole = spell(result);
        if (!whole.starts_with(spell(left)) || whole.substr(spell(left).size()) != spell(right)) {
            return Error::invalid_argument(
                       "merge of tokens {} and {} does not spell token {}", left, right, result
            )
                .at(place);
        }
        if (!merges.insert(left, right, {static_cast<std::uint32_t>(rank), result})) {
            return Error::invalid_argument("tokens {} and {} merge twice", left, right).at(place);
        }
    }
    return {};
}

void BpeTokenizer::Impl::make_matchers() {
    for (const bool normalized : {false, true}) {
        std::vector<internal::SpecialMatcher::Entry> entries;
        for (const AddedToken& token : vocabulary.added) {
            if (token.normalized == normalized) {
                entries.push_back({token.content, token.id, token.special});
            }
        }
        if (!entries.empty()) {
            matchers.emplace_back(std::move(entries));
        }
    }
}

Result<BpeTokenizer> BpeTokenizer::create(BpeVocabulary vocabulary) {
    auto impl = std::make_shared<Impl>(std::move(vocabulary));
    TRY_STATUS(impl->index_added());
    TRY_STATUS(impl->index_tokens());
    TRY_STATUS(impl->index_bytes());
    TRY_STATUS(impl->index_merges());
    impl->make_matchers();
    return BpeTokenizer(std::move(impl));
}

// ---- encoding -----------------------------------------------------------------------------------

void BpeTokenizer::Impl::encode_pretoken(
    std::string_view pretoken, std::vector<std::int32_t>& symbols
) const {
    symbols.clear();
    if (vocabulary.ignore_merges) {
        if (const auto found = ids_by_bytes.find(std::string(pretoken));
            found != ids_by_bytes.end()) {
            symbols.push_back(found->second);
            return;
        }
    }
    for (const char byte : pretoken) {
        symbols.push_back(byte_ids[static_cast<std::uint8_t>(byte)]);
    }
    internal::merge_symbols(merges, symbols);
}

void BpeTokenizer::Impl::encode_plain(
    std::string_view text, EncodeCache::Impl* cache, std::vector<std::int32_t>& out
) const {
    PretokenCursor cursor(text, vocabulary.pretokenizer);
    std::array<std::string_view, kBatch> pretokens;
    std::vector<std::int32_t> own_symbols;
    std::vector<std::int32_t>& symbols = cache != nullptr ? cache->symbols : own_symbols;
    while (const std::size_t count = cursor.next(pretokens)) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::string_view pretoken = pretokens[i];
            if (cache == nullptr || !EncodeCache::Impl::fits(pretoken)) {
                encode_pretoken(pretoken, symbols);
                out.insert(out.end(), symbols.begin(), symbols.end());
                continue;
            }
            const EncodeCache::Impl::Key key = EncodeCache::Impl::key_of(pretoken);
            EncodeCache::Impl::Entry& entry = cache->slot_of(key, pretoken.size());
            if (entry.key_bytes == pretoken.size() && entry.key == key) {
                out.insert(out.end(), entry.ids.begin(), entry.ids.begin() + entry.id_count);
                continue;
            }
            encode_pretoken(pretoken, symbols);
            out.insert(out.end(), symbols.begin(), symbols.end());
            if (symbols.size() <= EncodeCache::Impl::kIds) {
                entry.key = key;
                std::ranges::copy(symbols, entry.ids.begin());
                entry.key_bytes = static_cast<std::uint8_t>(pretoken.size());
                entry.id_count = static_cast<std::uint8_t>(symbols.size());
            }
        }
    }
}

namespace {

// Cuts `text` at the added tokens that the matchers from `level` on find, and hands what lies
// between to `plain`, each found token to `token`.
template <class Plain, class Token>
void cut_at_added(
    std::span<const internal::SpecialMatcher> matchers,
    std::string_view text,
    bool with_special,
    const Plain& plain,
    const Token& token
) {
    if (matchers.empty()) {
        plain(text);
        return;
    }
    std::size_t at = 0;
    while (const auto match = matchers.front().find(text, at, with_special)) {
        const std::string_view before = text.substr(at, match->at - at);
        cut_at_added(matchers.subspan(1), before, with_special, plain, token);
        token(match->id);
        at = match->at + match->length;
    }
    cut_at_added(matchers.subspan(1), text.substr(at), with_special, plain, token);
}

}  // namespace

std::vector<std::int32_t> BpeTokenizer::encode(std::string_view text, SpecialTokens special) const {
    std::vector<std::int32_t> out;
    if (text.size() >= kCachedTextBytesMin) {
        EncodeCache cache(kOwnCacheEntries);
        encode_to(text, special, cache, out);
        return out;
    }
    cut_at_added(
        std::span(impl_->matchers),
        text,
        special == SpecialTokens::kMatch,
        [&](std::string_view plain) { impl_->encode_plain(plain, nullptr, out); },
        [&](std::int32_t id) { out.push_back(id); }
    );
    return out;
}

void BpeTokenizer::encode_to(
    std::string_view text, SpecialTokens special, EncodeCache& cache, std::vector<std::int32_t>& out
) const {
    cache.impl_->serve(impl_);
    cut_at_added(
        std::span(impl_->matchers),
        text,
        special == SpecialTokens::kMatch,
        [&](std::string_view plain) { impl_->encode_plain(plain, cache.impl_.get(), out); },
        [&](std::int32_t id) { out.push_back(id); }
    );
}

// ---- decoding and looking up --------------------------------------------------------------------

Result<std::string> BpeTokenizer::decode(std::span<const std::int32_t> ids, DecodeSpecial special)
    const {
    std::string bytes;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto id = static_cast<std::size_t>(ids[i]);
        if (ids[i] < 0 || id >= impl_->vocabulary.tokens.size()) {
            return Error::invalid_argument(
                       "decode: id {} is not in the vocabulary of {}", ids[i], vocabulary_size()
            )
                .at(fmt::format("ids[{}]", i));
        }
        if (special == DecodeSpecial::kKeep || impl_->added_flags[id] != 2) {
            bytes += impl_->vocabulary.tokens[id];
        }
    }
    return bytes;
}

std::optional<std::int32_t> BpeTokenizer::id_of(std::string_view bytes) const {
    if (const auto found = impl_->ids_by_content.find(bytes);
        found != impl_->ids_by_content.end()) {
        return found->second;
    }
    const auto found = impl_->ids_by_bytes.find(std::string(bytes));
    return found == impl_->ids_by_bytes.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string_view> BpeTokenizer::token_of(std::int32_t id) const {
    if (id < 0 || id >= vocabulary_size()) {
        return std::nullopt;
    }
    return impl_->vocabulary.tokens[static_cast<std::size_t>(id)];
}

bool BpeTokenizer::is_special(std::int32_t id) const {
    return id >= 0 && id < vocabulary_size() &&
           impl_->added_flags[static_cast<std::size_t>(id)] == 2;
}

std::int32_t BpeTokenizer::vocabulary_size() const {
    return static_cast<std::int32_t>(impl_->vocabulary.tokens.size());
}

const BpeVocabulary& BpeTokenizer::vocabulary() const {
    return impl_->vocabulary;
}

}  // namespace nexa::text
