// SPDX-License-Identifier: Apache-2.0
#include "text/bpe_trainer.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "text/byte_level.h"
#include "text/files_test_internal.h"

namespace nexa::text {
namespace {

using Views = std::vector<std::string_view>;

BpeTokenizer trained(const Views& texts, BpeTrainerOptions options) {
    auto tokenizer = train_bpe(texts, std::move(options));
    EXPECT_TRUE(tokenizer) << tokenizer.error().to_string();
    return *tokenizer;
}

std::vector<std::string> learned(const BpeTokenizer& tokenizer) {
    std::vector<std::string> tokens;
    for (const MergeRule& rule : tokenizer.vocabulary().merges) {
        tokens.emplace_back(*tokenizer.token_of(rule.result));
    }
    return tokens;
}

// The definition, counted anew for every merge. Ids: bytes in alphabet order, then the merges.
std::vector<MergeRule> train_slowly(const std::string& text, std::size_t merges_max) {
    std::map<std::uint8_t, std::int32_t> byte_ids;
    for (const std::uint8_t byte : bytes_in_alphabet_order()) {
        byte_ids.emplace(byte, static_cast<std::int32_t>(byte_ids.size()));
    }
    std::vector<std::vector<std::int32_t>> words;
    PretokenCursor cursor(text, {});
    std::array<std::string_view, 1> pretoken;
    while (cursor.next(pretoken) != 0) {
        words.emplace_back();
        for (const char byte : pretoken[0]) {
            words.back().push_back(byte_ids.at(static_cast<std::uint8_t>(byte)));
        }
    }
    std::vector<MergeRule> merges;
    while (merges.size() < merges_max) {
        std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> counts;
        for (const auto& word : words) {
            for (std::size_t i = 0; i + 1 < word.size(); ++i) {
                ++counts[{word[i], word[i + 1]}];
            }
        }
        // The map is in the order of ids, and max_element takes the first of equals.
        const auto best =
            std::ranges::max_element(counts, {}, [](const auto& c) { return c.second; });
        if (best == counts.end() || best->second < 2) {
            break;
        }
        const auto [left, right] = best->first;
        const auto id = static_cast<std::int32_t>(256 + merges.size());
        merges.push_back({left, right, id});
        for (auto& word : words) {
            std::vector<std::int32_t> next;
            for (std::size_t i = 0; i < word.size(); ++i) {
                const bool here = i + 1 < word.size() && word[i] == left && word[i + 1] == right;
                next.push_back(here ? id : word[i]);
                i += here ? 1U : 0U;
            }
            word = std::move(next);
        }
    }
    return merges;
}

TEST(BpeTrainer, MergesTheMostFrequentPairFirstAndTheSmallestIdsOfEquals) {
    const BpeTokenizer tokenizer =
        trained({"xyxyxy ba ba", "dc dc"}, {.vocabulary_size = 260, .frequency_min = 1});
    // "xy" is there 3 times. Of the pairs that are there twice then, the smallest ids go first:
    // letters come before the space, bytes before "xy".
    EXPECT_EQ(learned(tokenizer), (std::vector<std::string>{"xy", "ba", "dc", " ba"}));
}

TEST(BpeTrainer, AgreesWithTheDefinitionOnRandomTexts) {
    std::mt19937_64 random(21);
    for (int round = 0; round < 300; ++round) {
        std::string text;
        const std::string_view pool = random() % 2 == 0 ? "aaab " : "abcd  \n1";
        for (std::size_t size = random() % 600; text.size() < size;) {
            text.push_back(pool[random() % pool.size()]);
        }
        const std::size_t merges = random() % 60;
        const BpeTokenizer tokenizer =
            trained({text}, {.vocabulary_size = static_cast<std::int32_t>(256 + merges)});
        ASSERT_EQ(tokenizer.vocabulary().merges, train_slowly(text, merges)) << text;
    }
}

TEST(BpeTrainer, VocabularyIsSpecialTokensThenBytesThenMergesOfTheExactSize) {
    const std::string corpus = testing::read_own_file("corpus.txt");
    const BpeTokenizer tokenizer =
        trained({corpus}, {.vocabulary_size = 280, .special_tokens = {"<|end|>", "<|pad|>"}});
    EXPECT_EQ(tokenizer.vocabulary_size(), 280);
    EXPECT_EQ(tokenizer.id_of("<|end|>"), 0);
    EXPECT_EQ(tokenizer.id_of("<|pad|>"), 1);
    EXPECT_EQ(tokenizer.id_of("!"), 2);
    EXPECT_EQ(tokenizer.vocabulary().merges.size(), 22U);
    EXPECT_EQ(tokenizer.encode("a<|pad|>").back(), 1);
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(corpus)).value(), corpus);
}

TEST(BpeTrainer, OrderAndCutOfTheTextsDoNotMatter) {
    const std::string text = "low lower lowest\nnew newer newest\nwide wider widest\n";
    const Views lines{"low lower lowest\n", "new newer newest\n", "wide wider widest\n"};
    const Views shuffled{lines[2], lines[0], lines[1]};
    const BpeTrainerOptions options{.vocabulary_size = 290};
    const auto expected = trained({text}, options).vocabulary();
    EXPECT_EQ(trained(lines, options).vocabulary(), expected);
    EXPECT_EQ(trained(shuffled, options).vocabulary(), expected);
}

TEST(BpeTrainer, CountsAreSixtyFourBitsWide) {
    auto trainer = BpeTrainer::create({.vocabulary_size = 257});
    ASSERT_TRUE(trainer);
    // Three times 2^31 wraps to a negative 32-bit count.
    trainer->feed("ab", 3LL << 31U);
    trainer->feed("cd", 1 << 20U);
    EXPECT_EQ(learned(*trainer->finish()), std::vector<std::string>{"ab"});
}

TEST(BpeTrainer, StopsWhereNoPairIsFrequentEnough) {
    const BpeTrainerOptions options{.vocabulary_size = 1000, .frequency_min = 3};
    EXPECT_EQ(learned(trained({"ab ab ab cd cd"}, options)), (std::vector<std::string>{"ab"}));
    EXPECT_EQ(trained({}, options).vocabulary_size(), 256);
    EXPECT_EQ(trained({"a", "", "b"}, options).vocabulary_size(), 256);
}

TEST(BpeTrainer, SingleDigitsAreNeverMerged) {
    const std::string text = "12 12 12 12 123 123";
    const BpeTokenizer tokenizer =
        trained({text}, {.vocabulary_size = 300, .pretokenizer = {.digits = DigitRule::kSingle}});
    EXPECT_TRUE(learned(tokenizer).empty());
    EXPECT_EQ(tokenizer.encode("12").size(), 2U);
}

TEST(BpeTrainer, ASpecialTokenThatTextAlsoSpellsKeepsOneId) {
    const BpeTokenizer tokenizer =
        trained({"the the the then then"}, {.vocabulary_size = 262, .special_tokens = {"the"}});
    EXPECT_EQ(tokenizer.id_of("the"), 0);
    EXPECT_TRUE(std::ranges::any_of(tokenizer.vocabulary().merges, [](const MergeRule& rule) {
        return rule.result == 0;
    }));
}

TEST(BpeTrainer, CancelsBetweenMergesAndReportsProgress) {
    const std::string corpus = testing::read_own_file("corpus.txt");
    std::vector<std::int64_t> seen;
    const auto result =
        train_bpe(Views{corpus}, {.vocabulary_size = 280}, [&](const BpeTrainerProgress& progress) {
            EXPECT_EQ(progress.merges_total, 24);
            seen.push_back(progress.merges_done);
            return progress.merges_done < 5;
        });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(seen, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5}));
}

TEST(BpeTrainer, LeavesOverlongPretokensOutAndSaysSo) {
    auto trainer = BpeTrainer::create({.vocabulary_size = 300, .pretoken_bytes_max = 4});
    ASSERT_TRUE(trainer);
    trainer->feed("abcd zzzzzzzz abcd abcd");
    EXPECT_EQ(trainer->skipped_pretokens(), 3);  // " zzzzzzzz", " abcd" twice
    EXPECT_EQ(trainer->distinct_pretokens(), 1U);
}

TEST(BpeTrainer, RefusesImpossibleOptionsNamingThem) {
    const auto refusal = [](BpeTrainerOptions options) {
        const auto trainer = BpeTrainer::create(std::move(options));
        return trainer ? "accepted" : trainer.error().to_string();
    };
    EXPECT_EQ(refusal({.vocabulary_size = 256}), "accepted");
    EXPECT_EQ(
        refusal({.vocabulary_size = 255}),
        "vocabulary_size: must be at least 256, is 255: 256 bytes and 0 special tokens"
    );
    EXPECT_EQ(
        refusal({.vocabulary_size = 257, .special_tokens = {"<a>", "<b>"}}),
        "vocabulary_size: must be at least 258, is 257: 256 bytes and 2 special tokens"
    );
    EXPECT_EQ(refusal({.frequency_min = -1}), "frequency_min: must not be negative, is -1");
    EXPECT_EQ(
        refusal({.special_tokens = {"<a>", ""}}),
        "special_tokens[1]: a special token must be UTF-8 and not empty"
    );
    EXPECT_EQ(
        refusal({.special_tokens = {"<a>", "<a>"}}),
        "special_tokens[1]: special token '<a>' is there twice"
    );
    EXPECT_EQ(
        refusal({.special_tokens = {"a"}}),
        "special_tokens[0]: special token 'a' is how the vocabulary writes a byte (use a "
        "longer one, such as <|end|>)"
    );
}

TEST(BpeTrainer, LearnsTinyShakespeareFast) {
    const auto path = testing::shared_file("text/tinyshakespeare.txt");
    if (!path) {
        GTEST_SKIP() << "NEXA_TEST_DATA is not set";
    }
    const std::string text = testing::read_file(*path);
    const auto start = std::chrono::steady_clock::now();
    const BpeTokenizer tokenizer = trained({text}, {.vocabulary_size = 1024});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(tokenizer.vocabulary_size(), 1024);
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)).value(), text);
    EXPECT_LT(took.count(), 2.0);  // 0.03 s where this was written
    RecordProperty("seconds", std::to_string(took.count()));
}

}  // namespace
}  // namespace nexa::text
