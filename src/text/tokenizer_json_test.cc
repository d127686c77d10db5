// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer_json.h"

#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "text/bpe_trainer.h"
#include "text/files_test_internal.h"

namespace nexa::text {
namespace {

using Ids = std::vector<std::int32_t>;
using Json = nlohmann::ordered_json;

// testdata/tokenizer.json was written by Hugging Face's tokenizers 0.23.3, trained on
// testdata/corpus.txt with these options; the ids below are what it gives.
BpeTrainerOptions golden_options() {
    return {
        .vocabulary_size = 330,
        .special_tokens = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"},
        .pretokenizer = {.digits = DigitRule::kSingle},
    };
}

std::string golden() {
    return testing::read_own_file("tokenizer.json");
}

BpeTokenizer read(const std::string& json) {
    auto tokenizer = read_tokenizer_json(json);
    EXPECT_TRUE(tokenizer) << tokenizer.error().to_string();
    return *tokenizer;
}

std::string refusal(const std::function<void(Json&)>& change) {
    Json json = Json::parse(golden());
    change(json);
    const auto tokenizer = read_tokenizer_json(json.dump());
    return tokenizer ? "accepted" : tokenizer.error().to_string();
}

TEST(TokenizerJson, GivesTheIdsThatHuggingFaceGives) {
    const BpeTokenizer tokenizer = read(golden());
    EXPECT_EQ(
        tokenizer.encode("the king shall have 1234 days, don't you see?\n"),
        (Ids{86, 265, 314, 307, 310, 223, 19, 20,  21, 22, 281, 85,
             14, 305, 283, 223, 91,  81,  87, 267, 71, 71, 33,  201})
    );
    EXPECT_EQ(
        tokenizer.encode("<|im_start|>user\nna\xC3\xAFve \xE4\xBD\xA0\xE5\xA5\xBD  x<|im_end|>"),
        (Ids{1, 87, 85, 285, 201, 80, 67, 130, 110, 270, 223, 311, 223, 223, 90, 2})
    );
}

TEST(TokenizerJson, OursTrainedOnTheSameTextIsTheSameFileByteForByte) {
    const std::string corpus = testing::read_own_file("corpus.txt");
    const auto tokenizer = train_bpe(std::vector<std::string_view>{corpus}, golden_options());
    ASSERT_TRUE(tokenizer);
    EXPECT_EQ(write_tokenizer_json(*tokenizer), golden());
}

TEST(TokenizerJson, ReadingWhatWasWrittenGivesAnEqualVocabulary) {
    const BpeTokenizer first = read(golden());
    const std::string written = write_tokenizer_json(first);
    EXPECT_EQ(written, golden());
    EXPECT_EQ(read(written).vocabulary(), first.vocabulary());
}

TEST(TokenizerJson, KeepsAddedTokensOutsideTheVocabularyAndFlags) {
    Json json = Json::parse(golden());
    const int id = static_cast<int>(json["model"]["vocab"].size());
    json["added_tokens"].push_back(Json{
        {"id", id},
        {"content", "<tool call>"},
        {"single_word", false},
        {"lstrip", false},
        {"rstrip", false},
        {"normalized", true},
        {"special", false}
    });
    json["model"]["ignore_merges"] = true;
    const BpeTokenizer tokenizer = read(json.dump());
    EXPECT_EQ(tokenizer.encode("<tool call>"), Ids{id});
    EXPECT_EQ(write_tokenizer_json(tokenizer), json.dump(2));
    EXPECT_FALSE(tokenizer.is_special(id));
}

TEST(TokenizerJson, ReadsBothFormsOfMerges) {
    Json json = Json::parse(golden());
    for (Json& merge : json["model"]["merges"]) {
        merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
    }
    EXPECT_EQ(read(json.dump()).vocabulary(), read(golden()).vocabulary());
}

TEST(TokenizerJson, ReadsBothWaysToIsolateDigits) {
    Json json = Json::parse(golden());
    json["pre_tokenizer"]["pretokenizers"][0] = Json{
        {"type", "Split"},
        {"pattern", {{"Regex", "\\p{N}"}}},
        {"behavior", "Isolated"},
        {"invert", false}
    };
    EXPECT_EQ(read(json.dump()).vocabulary().pretokenizer.digits, DigitRule::kSingle);
    const Json byte_level = json["pre_tokenizer"]["pretokenizers"][1];
    json["pre_tokenizer"] = byte_level;
    EXPECT_EQ(read(json.dump()).vocabulary().pretokenizer.digits, DigitRule::kGrouped);
}

TEST(TokenizerJson, RefusesWhatWouldChangeIdsNamingTheField) {
    EXPECT_EQ(refusal([](Json&) {}), "accepted");
    EXPECT_EQ(
        refusal([](Json& j) { j["normalizer"] = {{"type", "NFC"}}; }),
        "normalizer: must be null: it would change the ids"
    );
    EXPECT_EQ(
        refusal([](Json& j) { j["truncation"] = {{"max_length", 5}}; }),
        "truncation: must be null: it would change the ids"
    );
    EXPECT_EQ(
        refusal([](Json& j) { j["post_processor"] = {{"type", "TemplateProcessing"}}; }),
        "post_processor: post-processor 'TemplateProcessing' is not supported (null and "
        "ByteLevel are)"
    );
    EXPECT_EQ(
        refusal([](Json& j) { j["decoder"] = nullptr; }), "decoder: must be ByteLevel, is ''"
    );
    EXPECT_EQ(
        refusal([](Json& j) { j["model"]["type"] = "Unigram"; }),
        "model.type: model 'Unigram' is not supported (BPE is)"
    );
    EXPECT_EQ(
        refusal([](Json& j) { j["model"]["dropout"] = 0.1; }),
        "model.dropout: merges left out by chance are not supported"
    );
    EXPECT_EQ(
        refusal([](Json& j) { j["model"]["byte_fallback"] = true; }),
        "model.byte_fallback: true is not supported"
    );
    EXPECT_EQ(
        refusal([](Json& j) { j["model"]["end_of_word_suffix"] = "</w>"; }),
        "model.end_of_word_suffix: must be empty for byte-level BPE"
    );
    EXPECT_EQ(
        refusal([](Json& j) { j["model"]["new_thing"] = 1; }), "model.new_thing: unknown field"
    );
    EXPECT_EQ(refusal([](Json& j) { j["surprise"] = 1; }), "surprise: unknown field");
    EXPECT_EQ(
        refusal([](Json& j) { j["added_tokens"][1]["lstrip"] = true; }),
        "added_tokens[1].lstrip: true is not supported"
    );
}

TEST(TokenizerJson, RefusesOtherPreTokenizersNamingThePlace) {
    const auto with = [](Json pretokenizer) {
        return refusal([&](Json& j) { j["pre_tokenizer"] = pretokenizer; });
    };
    EXPECT_EQ(with(nullptr), "pre_tokenizer: must be ByteLevel or a Sequence that ends in it");
    EXPECT_EQ(
        with({{"type", "Metaspace"}}),
        "pre_tokenizer.type: pre-tokenizer 'Metaspace' is not supported (byte-level BPE with "
        "GPT-2's rules, with or without single digits, is)"
    );
    EXPECT_EQ(
        with({{"type", "ByteLevel"}, {"add_prefix_space", true}}),
        "pre_tokenizer.add_prefix_space: true is not supported"
    );
    EXPECT_EQ(
        with({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}),
        "pre_tokenizer.use_regex: false is not supported"
    );
    const Json byte_level{{"type", "ByteLevel"}, {"add_prefix_space", false}};
    const auto after = [&](Json first) {
        return with({{"type", "Sequence"}, {"pretokenizers", {first, byte_level}}});
    };
    EXPECT_EQ(after({{"type", "Digits"}, {"individual_digits", true}}), "accepted");
    const std::string not_this =
        "pre_tokenizer.pretokenizers[0]: only a step that isolates each digit is supported, not "
        "this ";
    EXPECT_EQ(after({{"type", "Digits"}, {"individual_digits", false}}), not_this + "'Digits'");
    EXPECT_EQ(
        after({{"type", "Split"}, {"pattern", {{"Regex", "\\d"}}}, {"behavior", "Isolated"}}),
        not_this + "'Split'"
    );
    EXPECT_EQ(
        after({{"type", "Split"}, {"pattern", {{"Regex", "\\p{N}"}}}, {"behavior", "Removed"}}),
        not_this + "'Split'"
    );
}

TEST(TokenizerJson, RefusesBrokenVocabulariesNamingThePlace) {
    EXPECT_EQ(read_tokenizer_json("{").error().code, ErrorCode::kMalformed);
    EXPECT_EQ(read_tokenizer_json("[]").error().to_string(), "must be an object");
    EXPECT_EQ(refusal([](Json& j) { j.erase("model"); }), "model: is missing");
    EXPECT_EQ(
        refusal([](Json& j) { j["model"]["vocab"]["zz"] = 5000; }),
        "model.vocab: id 5000 lies beyond the 318 tokens: ids have gaps"
    );
    EXPECT_EQ(
        refusal([](Json& j) { j["model"]["vocab"]["zz"] = 5; }).substr(0, 12), "model.vocab:"
    );
    EXPECT_EQ(
        refusal([](Json& j) { j["model"]["vocab"]["zz"] = -1; }),
        "model.vocab.zz: must be an id: a whole number from 0 to 2147483647"
    );
    EXPECT_EQ(
        refusal([](Json& j) { j["model"]["vocab"]["z z"] = j["model"]["vocab"].size(); }),
        "model.vocab: token 'z z' is not text of the byte-level alphabet"
    );
    EXPECT_EQ(
        refusal([](Json& j) { j["model"]["merges"][3] = "a b c"; }),
        "model.merges[3]: must be two tokens, as \"a b\" or [\"a\", \"b\"]"
    );
    EXPECT_EQ(
        refusal([](Json& j) { j["model"]["merges"][3] = {"a", "nope"}; }),
        "model.merges[3]: 'a' and 'nope' merge, but not all of them and their result are in "
        "the vocabulary"
    );
    EXPECT_EQ(
        refusal([](Json& j) { j["added_tokens"][0]["id"] = 7; }),
        "added_tokens[0].id: '<|endoftext|>' has id 7 here and 0 in the vocabulary"
    );
    EXPECT_EQ(
        refusal([](Json& j) { j["added_tokens"][1] = j["added_tokens"][0]; }),
        "model.vocab: added token '<|endoftext|>' is there twice"
    );
}

TEST(TokenizerJson, NestingTooDeepForTheStackIsOnlyRefused) {
    const std::string deep = std::string(1 << 20U, '[') + std::string(1 << 20U, ']');
    EXPECT_FALSE(read_tokenizer_json(deep));
}

std::vector<std::string> vector_inputs(const std::string& text) {
    static constexpr std::string_view kDelimiter = "\n__ggml_vocab_test__\n";
    std::vector<std::string> inputs;
    std::size_t at = 0;
    for (std::size_t end = 0; (end = text.find(kDelimiter, at)) != std::string::npos;) {
        inputs.push_back(text.substr(at, end - at));
        at = end + kDelimiter.size();
    }
    return inputs;
}

TEST(TokenizerJson, Gpt2GivesThePublishedIds) {
    const auto file = testing::shared_file("tokenizers/gpt2/tokenizer.json");
    if (!file) {
        GTEST_SKIP() << "NEXA_TEST_DATA is not set";
    }
    const BpeTokenizer tokenizer = read(testing::read_file(*file));
    EXPECT_EQ(tokenizer.vocabulary_size(), 50257);
    const auto inputs =
        vector_inputs(testing::read_file(*testing::shared_file("tokenizers/vectors/gpt-2.inp")));
    std::istringstream outputs(
        testing::read_file(*testing::shared_file("tokenizers/vectors/gpt-2.out"))
    );
    ASSERT_GE(inputs.size(), 40U);
    for (const std::string& input : inputs) {
        std::string line;
        ASSERT_TRUE(std::getline(outputs, line));
        std::istringstream words(line);
        const Ids expected{std::istream_iterator<std::int32_t>(words), {}};
        EXPECT_EQ(tokenizer.encode(input), expected) << input;
        EXPECT_EQ(tokenizer.decode(expected).value(), input);
    }
    EXPECT_EQ(read(write_tokenizer_json(tokenizer)).vocabulary(), tokenizer.vocabulary());
}

}  // namespace
}  // namespace nexa::text
