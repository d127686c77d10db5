// SPDX-License-Identifier: Apache-2.0
#include "text/bpe_tokenizer.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "text/bpe_merge_internal.h"
#include "text/byte_level.h"

namespace nexa::text {
namespace {

using Ids = std::vector<std::int32_t>;

BpeVocabulary bytes_only() {
    BpeVocabulary vocabulary;
    for (int byte = 0; byte < 256; ++byte) {
        vocabulary.tokens.emplace_back(1, static_cast<char>(byte));
    }
    return vocabulary;
}

void add_merge(BpeVocabulary& vocabulary, const std::string& left, const std::string& right) {
    const auto id = [&](const std::string& token) {
        return static_cast<std::int32_t>(
            std::ranges::find(vocabulary.tokens, token) - vocabulary.tokens.begin()
        );
    };
    if (std::ranges::find(vocabulary.tokens, left + right) == vocabulary.tokens.end()) {
        vocabulary.tokens.push_back(left + right);
    }
    vocabulary.merges.push_back({id(left), id(right), id(left + right)});
}

std::int32_t add_special(BpeVocabulary& vocabulary, const std::string& content) {
    const auto id = static_cast<std::int32_t>(vocabulary.tokens.size());
    vocabulary.tokens.push_back(content);
    vocabulary.added.push_back({.id = id, .content = content});
    return id;
}

// Random merges over a few letters: deep, ambiguous and with runs.
BpeVocabulary random_vocabulary(std::mt19937_64& random, int merges) {
    BpeVocabulary vocabulary = bytes_only();
    std::vector<std::string> parts{"a", "b", "c"};
    while (merges > 0) {
        const std::string left = parts[random() % parts.size()];
        const std::string right = parts[random() % parts.size()];
        if (std::ranges::find(parts, left + right) == parts.end()) {
            add_merge(vocabulary, left, right);
            parts.push_back(left + right);
            --merges;
        }
    }
    return vocabulary;
}

BpeTokenizer tokenizer_of(BpeVocabulary vocabulary) {
    auto tokenizer = BpeTokenizer::create(std::move(vocabulary));
    EXPECT_TRUE(tokenizer) << tokenizer.error().to_string();
    return *tokenizer;
}

TEST(BpeTokenizer, MergesTheLowestRankFirstAndTheLeftmostOfEquals) {
    BpeVocabulary vocabulary = bytes_only();
    add_merge(vocabulary, "b", "c");
    add_merge(vocabulary, "a", "b");
    add_merge(vocabulary, "a", "a");
    const BpeTokenizer tokenizer = tokenizer_of(vocabulary);
    EXPECT_EQ(tokenizer.encode("abc"), (Ids{'a', 256}));
    EXPECT_EQ(tokenizer.encode("aaab"), (Ids{258, 257}));
    EXPECT_EQ(tokenizer.encode("aaa"), (Ids{258, 'a'}));
    EXPECT_EQ(tokenizer.encode("ab bc"), (Ids{257, ' ', 256}));
    EXPECT_TRUE(tokenizer.encode("").empty());
}

TEST(BpeTokenizer, ScanAndHeapMergeAlike) {
    std::mt19937_64 random(5);
    for (int round = 0; round < 300; ++round) {
        const BpeVocabulary vocabulary =
            random_vocabulary(random, 1 + static_cast<int>(random() % 40));
        internal::PairTable table(vocabulary.merges.size());
        for (std::size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
            const MergeRule& rule = vocabulary.merges[rank];
            table.insert(rule.left, rule.right, {static_cast<std::uint32_t>(rank), rule.result});
        }
        for (int text = 0; text < 50; ++text) {
            Ids symbols;
            for (std::size_t size = random() % (internal::kScanSymbolsMax + 1);
                 symbols.size() < size;) {
                symbols.push_back(static_cast<std::int32_t>('a' + random() % 3));
            }
            Ids by_scan = symbols;
            Ids by_heap = symbols;
            internal::merge_by_scan(table, by_scan);
            internal::merge_by_heap(table, by_heap);
            ASSERT_EQ(by_scan, by_heap);
        }
    }
}

TEST(BpeTokenizer, CacheChangesNothing) {
    std::mt19937_64 random(6);
    EncodeCache cache(16);  // nearly every pretoken meets a stranger in its place
    for (int round = 0; round < 100; ++round) {
        const BpeTokenizer tokenizer = tokenizer_of(random_vocabulary(random, 20));
        for (int text = 0; text < 30; ++text) {
            std::string input;
            for (std::size_t size = random() % 200; input.size() < size;) {
                input.push_back("abc 1\0'\xC3"[random() % 8]);
            }
            Ids cached;
            tokenizer.encode_to(input, SpecialTokens::kMatch, cache, cached);
            ASSERT_EQ(cached, tokenizer.encode(input));
        }
    }
}

TEST(BpeTokenizer, DecodeOfEncodeIsTheSameBytes) {
    std::mt19937_64 random(8);
    const BpeTokenizer tokenizer = tokenizer_of(random_vocabulary(random, 60));
    for (int round = 0; round < 3000; ++round) {
        std::string bytes;
        for (std::size_t size = random() % 100; bytes.size() < size;) {
            bytes.push_back(
                static_cast<char>(random() % 3 == 0 ? random() % 256 : 'a' + random() % 3)
            );
        }
        ASSERT_EQ(tokenizer.decode(tokenizer.encode(bytes)).value(), bytes);
    }
}

TEST(BpeTokenizer, MatchesSpecialTokensBeforeAnythingElse) {
    BpeVocabulary vocabulary = bytes_only();
    add_merge(vocabulary, "<", "|");
    const std::int32_t end = add_special(vocabulary, "<|end|>");
    const std::int32_t longer = add_special(vocabulary, "<|end|>>");
    const BpeTokenizer tokenizer = tokenizer_of(vocabulary);
    EXPECT_EQ(tokenizer.encode("a<|end|>b"), (Ids{'a', end, 'b'}));
    EXPECT_EQ(tokenizer.encode("<|end|><|end|>"), (Ids{end, end}));
    EXPECT_EQ(tokenizer.encode("<|end|>>"), (Ids{longer}));
    EXPECT_EQ(tokenizer.encode("<|en"), (Ids{256, 'e', 'n'}));
    EXPECT_EQ(tokenizer.encode("a <|end|>"), (Ids{'a', ' ', end}));
}

TEST(BpeTokenizer, SpecialTokensCanBeTakenAsPlainText) {
    BpeVocabulary vocabulary = bytes_only();
    const std::int32_t end = add_special(vocabulary, "<|end|>");
    const std::int32_t tool = add_special(vocabulary, "<tool>");
    vocabulary.added.back().special = false;
    const BpeTokenizer tokenizer = tokenizer_of(vocabulary);
    const Ids ids = tokenizer.encode("<|end|><tool>", SpecialTokens::kPlainText);
    EXPECT_EQ(std::ranges::count(ids, end), 0);
    EXPECT_EQ(ids.back(), tool);  // not special: a word of the language, matched always
    EXPECT_EQ(tokenizer.decode(ids).value(), "<|end|><tool>");
}

TEST(BpeTokenizer, NormalizedAddedTokensAreLookedForAfterTheOthers) {
    BpeVocabulary vocabulary = bytes_only();
    const std::int32_t early = add_special(vocabulary, "xyz");
    vocabulary.added.back().normalized = true;
    const std::int32_t late = add_special(vocabulary, "yzw");
    const BpeTokenizer tokenizer = tokenizer_of(vocabulary);
    EXPECT_EQ(tokenizer.encode("xyzw"), (Ids{'x', late}));
    EXPECT_EQ(tokenizer.encode("xyz"), (Ids{early}));
}

TEST(BpeTokenizer, DecodeSkipsSpecialTokensOnRequestAndRefusesUnknownIds) {
    BpeVocabulary vocabulary = bytes_only();
    const std::int32_t end = add_special(vocabulary, "<|end|>");
    const BpeTokenizer tokenizer = tokenizer_of(vocabulary);
    EXPECT_EQ(tokenizer.decode(Ids{'h', 'i', end}).value(), "hi<|end|>");
    EXPECT_EQ(tokenizer.decode(Ids{'h', 'i', end}, DecodeSpecial::kSkip).value(), "hi");
    for (const std::int32_t bad : {-1, 257, 1 << 30}) {
        const auto decoded = tokenizer.decode(Ids{'h', bad});
        ASSERT_FALSE(decoded);
        EXPECT_EQ(decoded.error().param, "ids[1]");
    }
}

TEST(BpeTokenizer, LooksTokensUp) {
    BpeVocabulary vocabulary = bytes_only();
    add_merge(vocabulary, " ", "a");
    const std::int32_t end = add_special(vocabulary, "<|end|>");
    const BpeTokenizer tokenizer = tokenizer_of(vocabulary);
    EXPECT_EQ(tokenizer.vocabulary_size(), 258);
    EXPECT_EQ(tokenizer.id_of(" a"), 256);
    EXPECT_EQ(tokenizer.id_of("<|end|>"), end);
    EXPECT_FALSE(tokenizer.id_of("nowhere"));
    EXPECT_EQ(tokenizer.token_of(256), " a");
    EXPECT_FALSE(tokenizer.token_of(258));
    EXPECT_FALSE(tokenizer.token_of(-1));
    EXPECT_TRUE(tokenizer.is_special(end));
    EXPECT_FALSE(tokenizer.is_special('a'));
    EXPECT_FALSE(tokenizer.is_special(999));
}

TEST(BpeTokenizer, IgnoreMergesTakesAWholePretokenThatIsAToken) {
    BpeVocabulary vocabulary = bytes_only();
    vocabulary.tokens.emplace_back("abc");  // no merges lead there
    EXPECT_EQ(tokenizer_of(vocabulary).encode("abc"), (Ids{'a', 'b', 'c'}));
    vocabulary.ignore_merges = true;
    EXPECT_EQ(tokenizer_of(vocabulary).encode("abc abcd"), (Ids{256, ' ', 'a', 'b', 'c', 'd'}));
}

TEST(BpeTokenizer, RefusesBrokenVocabulariesNamingThePlace) {
    const auto refusal = [](auto&& spoil) {
        BpeVocabulary vocabulary = bytes_only();
        add_merge(vocabulary, "a", "b");
        add_special(vocabulary, "<|end|>");
        spoil(vocabulary);
        const auto tokenizer = BpeTokenizer::create(vocabulary);
        return tokenizer ? "accepted" : tokenizer.error().to_string();
    };
    EXPECT_EQ(refusal([](auto&) {}), "accepted");
    EXPECT_EQ(
        refusal([](auto& v) { v.tokens[65] = "zz"; }),
        "tokens: byte 0x41 has no token (train with the whole byte-level alphabet)"
    );
    EXPECT_EQ(
        refusal([](auto& v) { v.tokens.push_back("ab"); }),
        "tokens: tokens 256 and 258 are the same bytes"
    );
    EXPECT_EQ(refusal([](auto& v) { v.tokens.emplace_back(); }), "tokens: token 258 is empty");
    EXPECT_EQ(
        refusal([](auto& v) { v.merges[0].result = 'c'; }),
        "merges[0]: merge of tokens 97 and 98 does not spell token 99"
    );
    EXPECT_EQ(
        refusal([](auto& v) { v.merges[0].left = 9999; }),
        "merges[0]: merge names token 9999, which text cannot hold"
    );
    EXPECT_EQ(
        refusal([](auto& v) { v.merges.push_back(v.merges[0]); }),
        "merges[1]: tokens 97 and 98 merge twice"
    );
    EXPECT_EQ(
        refusal([](auto& v) { v.added[0].content = "other"; }),
        "added[0]: added token 'other' has id 257, which is another token's"
    );
    EXPECT_EQ(
        refusal([](auto& v) { v.added[0].id = -4; }),
        "added[0]: added token has id -4 in a vocabulary of 258"
    );
    EXPECT_EQ(
        refusal([](auto& v) { v.added.push_back(v.added[0]); }),
        "added[1]: added token '<|end|>' is there twice"
    );
    EXPECT_EQ(
        refusal([](auto& v) { v.added[0].content.clear(); }),
        "added[0]: added token 257 is empty or not UTF-8"
    );
}

// Quadratic merging would take minutes here.
TEST(BpeTokenizer, LongPretokensTakeAboutLinearTime) {
    std::mt19937_64 random(9);
    const BpeTokenizer tokenizer = tokenizer_of(random_vocabulary(random, 40));
    std::string text(std::size_t{1} << 20U, 'a');
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)).value(), text);
    for (char& c : text) {
        c = static_cast<char>('a' + random() % 3);
    }
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)).value(), text);
    const std::string blanks(std::size_t{1} << 20U, ' ');
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(blanks)).value(), blanks);
}

}  // namespace
}  // namespace nexa::text
