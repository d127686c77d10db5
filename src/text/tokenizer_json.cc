// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer_json.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/utf8.h"
#include "text/byte_level.h"

namespace nexa::text {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;  // as it is written; slow to look up in

constexpr std::size_t kFileBytesMax = std::size_t{256} << 20U;
constexpr std::string_view kDigitPattern = R"(\p{N})";

// ---- reading ------------------------------------------------------------------------------------

const Json* find(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() ? nullptr : &*found;
}

bool is_absent(const Json* value) {
    return value == nullptr || value->is_null();
}

bool is_absent_or_empty(const Json* value) {
    return is_absent(value) || (value->is_string() && value->get_ref<const std::string&>().empty());
}

std::string_view text_of(const Json* value) {
    return value != nullptr && value->is_string()
               ? std::string_view(value->get_ref<const std::string&>())
               : std::string_view();
}

Status only_fields(const Json& object, std::span<const std::string_view> known) {
    if (!object.is_object()) {
        return Error::malformed("must be an object");
    }
    for (const auto& [key, value] : object.items()) {
        if (std::ranges::find(known, key) == known.end()) {
            return Error::invalid_argument("unknown field").at(quotable(key));
        }
    }
    return {};
}

Result<bool> flag_of(const Json& object, const char* key, bool fallback) {
    const Json* value = find(object, key);
    if (is_absent(value)) {
        return fallback;
    }
    if (!value->is_boolean()) {
        return Error::malformed("must be true or false").at(key);
    }
    return value->get<bool>();
}

Status expect_flag(const Json& object, const char* key, bool expected, bool fallback) {
    TRY(const bool value, flag_of(object, key, fallback));
    if (value != expected) {
        return Error::invalid_argument("{} is not supported", value).at(key);
    }
    return {};
}

Result<std::int32_t> id_of_json(const Json* value) {
    if (value == nullptr || !value->is_number_unsigned() ||
        value->get<std::uint64_t>() > 0x7FFFFFFFU) {
        return Error::malformed("must be an id: a whole number from 0 to 2147483647");
    }
    return value->get<std::int32_t>();
}

// True if the pre-tokenizer makes every number character a piece of its own.
Result<bool> isolates_digits(const Json& step) {
    const std::string_view type = text_of(find(step, "type"));
    if (type == "Digits") {
        return flag_of(step, "individual_digits", false);
    }
    if (type != "Split") {
        return false;
    }
    const Json* pattern = find(step, "pattern");
    const bool is_digits = pattern != nullptr && pattern->is_object() &&
                           text_of(find(*pattern, "Regex")) == kDigitPattern;
    TRY(const bool inverted, flag_of(step, "invert", false));
    return is_digits && !inverted && text_of(find(step, "behavior")) == "Isolated";
}

Status read_byte_level_step(const Json& step) {
    static constexpr std::array<std::string_view, 4> kKnown{
        "type", "add_prefix_space", "trim_offsets", "use_regex"
    };
    TRY_STATUS(only_fields(step, kKnown));
    if (const std::string_view type = text_of(find(step, "type")); type != "ByteLevel") {
        return Error::invalid_argument("pre-tokenizer '{}' is not supported", quotable(type))
            .at("type")
            .hint("byte-level BPE with GPT-2's rules, with or without single digits, is");
    }
    TRY_STATUS(expect_flag(step, "add_prefix_space", false, true));
    return expect_flag(step, "use_regex", true, true);
}

Result<PretokenizerOptions> read_pretokenizer(const Json* value) {
    if (is_absent(value) || !value->is_object()) {
        return Error::invalid_argument("must be ByteLevel or a Sequence that ends in it");
    }
    if (text_of(find(*value, "type")) != "Sequence") {
        TRY_STATUS(read_byte_level_step(*value));
        return PretokenizerOptions{};
    }
    const Json* steps = find(*value, "pretokenizers");
    if (steps == nullptr || !steps->is_array() || steps->empty() || steps->size() > 2) {
        return Error::invalid_argument("must hold ByteLevel, or a step that isolates digits and it")
            .at("pretokenizers");
    }
    PretokenizerOptions options;
    const auto at_step = [](Error error, std::size_t i) {
        return std::move(error).at(fmt::format("pretokenizers[{}]", i));
    };
    if (steps->size() == 2) {
        const Json& first = (*steps)[0];
        if (!first.is_object()) {
            return at_step(Error::malformed("must be an object"), 0);
        }
        const Result<bool> isolates = isolates_digits(first);
        if (!isolates) {
            return at_step(isolates.error(), 0);
        }
        if (!*isolates) {
            return at_step(
                Error::invalid_argument(
                    "only a step that isolates each digit is supported, not "
                    "this '{}'",
                    quotable(text_of(find(first, "type")))
                ),
                0
            );
        }
        options.digits = DigitRule::kSingle;
    }
    if (Status last = read_byte_level_step(steps->back()); !last) {
        return at_step(last.error(), steps->size() - 1);
    }
    return options;
}

Result<AddedToken> read_added_token(const Json& value) {
    static constexpr std::array<std::string_view, 7> kKnown{
        "id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"
    };
    TRY_STATUS(only_fields(value, kKnown));
    AddedToken token;
    auto id = id_of_json(find(value, "id"));
    if (!id) {
        return std::move(id).error().at("id");
    }
    token.id = *id;
    token.content = text_of(find(value, "content"));
    if (token.content.empty()) {
        return Error::malformed("must be text, not empty").at("content");
    }
    for (const char* stripping : {"single_word", "lstrip", "rstrip"}) {
        TRY_STATUS(expect_flag(value, stripping, false, false));
    }
    TRY(token.special, flag_of(value, "special", false));
    TRY(token.normalized, flag_of(value, "normalized", !token.special));
    return token;
}

// The file's vocabulary while it is read: ids by the text that stands in the file.
struct FileVocabulary {
    std::unordered_map<std::string, std::int32_t> ids;
    std::vector<AddedToken> added;
};

Status read_added_tokens(const Json* value, FileVocabulary& file) {
    if (is_absent(value)) {
        return {};
    }
    if (!value->is_array()) {
        return Error::malformed("must be a list");
    }
    for (std::size_t i = 0; i < value->size(); ++i) {
        auto token = read_added_token((*value)[i]);
        if (!token) {
            return std::move(token).error().at(fmt::format("[{}]", i));
        }
        const auto in_vocabulary = file.ids.find(token->content);
        token->in_vocabulary = in_vocabulary != file.ids.end();
        if (token->in_vocabulary && in_vocabulary->second != token->id) {
            return Error::invalid_argument(
                       "'{}' has id {} here and {} in the vocabulary",
                       quotable(token->content),
                       token->id,
                       in_vocabulary->second
            )
                .at(fmt::format("[{}].id", i));
        }
        file.added.push_back(*std::move(token));
    }
    return {};
}

Status read_vocabulary_ids(const Json* value, FileVocabulary& file) {
    if (value == nullptr || !value->is_object()) {
        return Error::malformed("must be an object of token to id");
    }
    for (const auto& [token, id] : value->items()) {
        const auto read = id_of_json(&id);
        if (!read) {
            return Error(read.error()).at(quotable(token));
        }
        file.ids.emplace(token, *read);
    }
    return {};
}

// Puts every token at its id: ids must be 0 to n-1, each once.
Status place_tokens(const FileVocabulary& file, BpeVocabulary& vocabulary) {
    std::size_t size = file.ids.size();
    for (const AddedToken& token : file.added) {
        size += token.in_vocabulary ? 0U : 1U;
    }
    vocabulary.tokens.assign(size, {});
    const auto place = [&](std::int32_t id, std::string bytes) -> Status {
        if (static_cast<std::size_t>(id) >= size) {
            return Error::invalid_argument(
                "id {} lies beyond the {} tokens: ids have gaps", id, size
            );
        }
        if (!vocabulary.tokens[static_cast<std::size_t>(id)].empty()) {
            return Error::invalid_argument("id {} is given twice", id);
        }
        vocabulary.tokens[static_cast<std::size_t>(id)] = std::move(bytes);
        return {};
    };
    std::unordered_map<std::string_view, bool> is_added;
    for (const AddedToken& token : file.added) {
        if (!is_added.emplace(token.content, true).second) {
            return Error::invalid_argument(
                "added token '{}' is there twice", quotable(token.content)
            );
        }
        TRY_STATUS(place(token.id, token.content));
    }
    for (const auto& [text, id] : file.ids) {
        if (is_added.contains(text)) {
            continue;
        }
        std::optional<std::string> bytes = from_byte_level(text);
        if (!bytes || bytes->empty()) {
            return Error::invalid_argument(
                "token '{}' is not text of the byte-level alphabet", quotable(text)
            );
        }
        TRY_STATUS(place(id, *std::move(bytes)));
    }
    return {};
}

// The two halves of a merge, in either form.
std::optional<std::pair<std::string, std::string>> halves_of(const Json& merge) {
    if (merge.is_array()) {
        if (merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string()) {
            return std::nullopt;
        }
        return std::pair(merge[0].get<std::string>(), merge[1].get<std::string>());
    }
    const std::string_view text = text_of(&merge);
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
        return std::nullopt;
    }
    return std::pair(std::string(text.substr(0, space)), std::string(text.substr(space + 1)));
}

Status read_merges(const Json* value, const FileVocabulary& file, BpeVocabulary& vocabulary) {
    if (value == nullptr || !value->is_array()) {
        return Error::malformed("must be a list of merges");
    }
    vocabulary.merges.reserve(value->size());
    for (std::size_t rank = 0; rank < value->size(); ++rank) {
        const std::string place = fmt::format("[{}]", rank);
        const auto halves = halves_of((*value)[rank]);
        if (!halves) {
            return Error::malformed("must be two tokens, as \"a b\" or [\"a\", \"b\"]").at(place);
        }
        const auto left = file.ids.find(halves->first);
        const auto right = file.ids.find(halves->second);
        const auto result = file.ids.find(halves->first + halves->second);
        if (left == file.ids.end() || right == file.ids.end() || result == file.ids.end()) {
            return Error::invalid_argument(
                       "'{}' and '{}' merge, but not all of them and their result are in the "
                       "vocabulary",
                       quotable(halves->first),
                       quotable(halves->second)
            )
                .at(place);
        }
        vocabulary.merges.push_back({left->second, right->second, result->second});
    }
    return {};
}

Status check_model(const Json& model) {
    static constexpr std::array<std::string_view, 10> kKnown{
        "type",
        "dropout",
        "unk_token",
        "continuing_subword_prefix",
        "fuse_unk",
        "byte_fallback",
        "vocab",
        "end_of_word_suffix",
        "ignore_merges",
        "merges"
    };
    TRY_STATUS(only_fields(model, kKnown));
    // Files of 2020 have no type: they are BPE if they have merges.
    const Json* type = find(model, "type");
    if (!is_absent(type) && text_of(type) != "BPE") {
        return Error::invalid_argument("model '{}' is not supported", quotable(text_of(type)))
            .at("type")
            .hint("BPE is");
    }
    const Json* dropout = find(model, "dropout");
    if (!is_absent(dropout) && *dropout != 0.0) {
        return Error::invalid_argument("merges left out by chance are not supported").at("dropout");
    }
    for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
        if (!is_absent_or_empty(find(model, affix))) {
            return Error::invalid_argument("must be empty for byte-level BPE").at(affix);
        }
    }
    return expect_flag(model, "byte_fallback", false, false);
}

// Adds the field's name to the place of an error.
template <class T>
Result<T> in_field(Result<T> result, std::string_view field) {
    if (!result) {
        return std::move(result).error().at(field);
    }
    return result;
}

Status check_root(const Json& root) {
    static constexpr std::array<std::string_view, 9> kKnown{
        "version",
        "truncation",
        "padding",
        "added_tokens",
        "normalizer",
        "pre_tokenizer",
        "post_processor",
        "decoder",
        "model"
    };
    TRY_STATUS(only_fields(root, kKnown));
    for (const char* unsupported : {"truncation", "padding", "normalizer"}) {
        if (!is_absent(find(root, unsupported))) {
            return Error::invalid_argument("must be null: it would change the ids").at(unsupported);
        }
    }
    const auto type_in = [&](const char* field) {
        const Json* part = find(root, field);
        return part != nullptr && part->is_object() ? text_of(find(*part, "type"))
                                                    : std::string_view();
    };
    if (!is_absent(find(root, "post_processor")) && type_in("post_processor") != "ByteLevel") {
        return Error::invalid_argument(
                   "post-processor '{}' is not supported", quotable(type_in("post_processor"))
        )
            .at("post_processor")
            .hint("null and ByteLevel are");
    }
    if (type_in("decoder") != "ByteLevel") {
        return Error::invalid_argument("must be ByteLevel, is '{}'", quotable(type_in("decoder")))
            .at("decoder");
    }
    return {};
}

}  // namespace

Result<BpeTokenizer> read_tokenizer_json(std::string_view json) {
    if (json.size() > kFileBytesMax) {
        return Error::invalid_argument(
            "tokenizer.json of {} bytes is over the limit of {}", json.size(), kFileBytesMax
        );
    }
    const Json root = Json::parse(json, nullptr, false);
    if (root.is_discarded()) {
        return Error::malformed("tokenizer.json is not JSON");
    }
    TRY_STATUS(check_root(root));
    const Json* model = find(root, "model");
    if (model == nullptr) {
        return Error::malformed("is missing").at("model");
    }
    TRY_STATUS(in_field(check_model(*model), "model"));

    BpeVocabulary vocabulary;
    FileVocabulary file;
    TRY(vocabulary.pretokenizer,
        in_field(read_pretokenizer(find(root, "pre_tokenizer")), "pre_tokenizer"));
    TRY(vocabulary.ignore_merges, in_field(flag_of(*model, "ignore_merges", false), "model"));
    TRY_STATUS(in_field(read_vocabulary_ids(find(*model, "vocab"), file), "model.vocab"));
    TRY_STATUS(in_field(read_added_tokens(find(root, "added_tokens"), file), "added_tokens"));
    TRY_STATUS(in_field(place_tokens(file, vocabulary), "model.vocab"));
    TRY_STATUS(in_field(read_merges(find(*model, "merges"), file, vocabulary), "model.merges"));
    vocabulary.added = std::move(file.added);
    return in_field(BpeTokenizer::create(std::move(vocabulary)), "model");
}

// ---- writing ------------------------------------------------------------------------------------

namespace {

OrderedJson byte_level_step(bool add_prefix_space) {
    return OrderedJson{
        {"type", "ByteLevel"},
        {"add_prefix_space", add_prefix_space},
        {"trim_offsets", true},
        {"use_regex", true},
    };
}

OrderedJson pretokenizer_json(const PretokenizerOptions& options) {
    if (options.digits == DigitRule::kGrouped) {
        return byte_level_step(false);
    }
    OrderedJson steps = OrderedJson::array();
    steps.push_back(OrderedJson{{"type", "Digits"}, {"individual_digits", true}});
    steps.push_back(byte_level_step(false));
    return OrderedJson{{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

OrderedJson added_tokens_json(std::vector<AddedToken> added) {
    std::ranges::sort(added, {}, &AddedToken::id);
    OrderedJson list = OrderedJson::array();
    for (const AddedToken& token : added) {
        list.push_back(OrderedJson{
            {"id", token.id},
            {"content", token.content},
            {"single_word", false},
            {"lstrip", false},
            {"rstrip", false},
            {"normalized", token.normalized},
            {"special", token.special},
        });
    }
    return list;
}

// By id: how the file writes the token. Empty for added tokens outside the vocabulary.
std::vector<std::string> names_of(const BpeVocabulary& vocabulary) {
    std::vector<std::string> names;
    names.reserve(vocabulary.tokens.size());
    for (const std::string& token : vocabulary.tokens) {
        names.push_back(to_byte_level(token));
    }
    for (const AddedToken& token : vocabulary.added) {
        names[static_cast<std::size_t>(token.id)] = token.in_vocabulary ? token.content : "";
    }
    return names;
}

}  // namespace

std::string write_tokenizer_json(const BpeTokenizer& tokenizer) {
    const BpeVocabulary& vocabulary = tokenizer.vocabulary();
    const std::vector<std::string> names = names_of(vocabulary);
    // Names are distinct: append as to a list, since emplace() would search all of them each time.
    OrderedJson::object_t ids;
    for (std::size_t id = 0; id < names.size(); ++id) {
        if (!names[id].empty()) {
            ids.emplace_back(names[id], id);
        }
    }
    OrderedJson merges = OrderedJson::array();
    for (const MergeRule& rule : vocabulary.merges) {
        merges.push_back(OrderedJson::array({
            names[static_cast<std::size_t>(rule.left)],
            names[static_cast<std::size_t>(rule.right)],
        }));
    }
    const OrderedJson root{
        {"version", "1.0"},
        {"truncation", nullptr},
        {"padding", nullptr},
        {"added_tokens", added_tokens_json(vocabulary.added)},
        {"normalizer", nullptr},
        {"pre_tokenizer", pretokenizer_json(vocabulary.pretokenizer)},
        {"post_processor", nullptr},
        {"decoder", byte_level_step(true)},
        {"model",
         OrderedJson{
             {"type", "BPE"},
             {"dropout", nullptr},
             {"unk_token", nullptr},
             {"continuing_subword_prefix", nullptr},
             {"end_of_word_suffix", nullptr},
             {"fuse_unk", false},
             {"byte_fallback", false},
             {"ignore_merges", vocabulary.ignore_merges},
             {"vocab", std::move(ids)},
             {"merges", std::move(merges)},
         }},
    };
    return root.dump(2, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace nexa::text
