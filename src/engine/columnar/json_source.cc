// SPDX-License-Identifier: Apache-2.0
#include <simdjson.h>

#include "core/value_node.h"
#include "engine/columnar/byte_reader_internal.h"
#include "engine/columnar/source_internal.h"

namespace nexa::columnar::internal {

namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kSpace = " \t\r\n";

std::string_view kind_of(dom::element element) {
    switch (element.type()) {
        case dom::element_type::ARRAY:
            return "a list";
        case dom::element_type::OBJECT:
            return "an object";
        case dom::element_type::STRING:
            return "text";
        case dom::element_type::BOOL:
            return "true or false";
        case dom::element_type::NULL_VALUE:
            return "null";
        default:
            return "a number";
    }
}

/// Text as it is, numbers and truth values as they are written; nothing for lists and objects.
std::optional<std::string> text_of(dom::element element) {
    std::string_view text;
    if (element.get_string().get(text) == simdjson::SUCCESS) {
        return std::string(text);
    }
    if (element.is_array() || element.is_object()) {
        return std::nullopt;
    }
    return simdjson::minify(element);
}

Record::Cell cell_of(dom::element element) {
    if (auto text = text_of(element)) {
        return {.text = std::move(*text), .fault = {}};
    }
    return {.text = {}, .fault = fmt::format("is no text but {}", kind_of(element))};
}

/// The parts of a message that are text, as chat completion requests have them: [{"type": "text",
/// "text": …}].
std::optional<std::string> text_of_parts(dom::element content) {
    dom::array parts;
    if (content.get_array().get(parts) != simdjson::SUCCESS) {
        return std::nullopt;
    }
    std::string joined;
    for (const dom::element part : parts) {
        std::string_view text;
        if (part["text"].get_string().get(text) != simdjson::SUCCESS) {
            return std::nullopt;
        }
        joined += text;
    }
    return joined;
}

std::expected<text::ChatMessage, std::string> message_of(dom::element element) {
    dom::object object;
    if (element.get_object().get(object) != simdjson::SUCCESS) {
        return std::unexpected(fmt::format(" is no object but {}", kind_of(element)));
    }
    dom::element role;
    if (object["role"].get(role) != simdjson::SUCCESS &&
        object["from"].get(role) != simdjson::SUCCESS) {
        return std::unexpected(" lacks `role`");
    }
    std::string_view role_text;
    if (role.get_string().get(role_text) != simdjson::SUCCESS) {
        return std::unexpected(fmt::format(".role is no text but {}", kind_of(role)));
    }
    dom::element content;
    if (object["content"].get(content) != simdjson::SUCCESS &&
        object["value"].get(content) != simdjson::SUCCESS) {
        return std::unexpected(" lacks `content`");
    }
    auto text = content.is_null() ? std::string() : text_of(content);
    if (!text) {
        text = text_of_parts(content);
    }
    if (!text) {
        return std::unexpected(fmt::format(".content is no text but {}", kind_of(content)));
    }
    return text::ChatMessage{.role = role_named(role_text), .content = std::move(*text)};
}

void read_messages(dom::element element, Record& record) {
    std::string_view json;
    if (element.get_string().get(json) == simdjson::SUCCESS) {
        read_messages_json(json, record);
        return;
    }
    dom::array array;
    if (element.get_array().get(array) != simdjson::SUCCESS) {
        record.messages_fault =
            fmt::format("has `messages` that are no list but {}", kind_of(element));
        return;
    }
    std::vector<text::ChatMessage> messages;
    for (const dom::element item : array) {
        auto message = message_of(item);
        if (!message) {
            record.messages_fault = fmt::format(
                "has messages of which messages[{}]{}", messages.size(), message.error()
            );
            return;
        }
        messages.push_back(std::move(*message));
    }
    record.messages = std::move(messages);
}

void read_meta(dom::element element, Record& record) {
    dom::object object;
    std::string_view json;
    if (element.get_object().get(object) == simdjson::SUCCESS) {
        for (const auto& [name, value] : object) {
            auto text = text_of(value);
            record.meta.emplace_back(name, text ? std::move(*text) : simdjson::minify(value));
        }
    } else if (element.get_string().get(json) == simdjson::SUCCESS) {
        read_meta_json(json, record);
    } else if (!element.is_null()) {
        record.meta.emplace_back(kMetaColumn, simdjson::minify(element));
    }
}

/// simdjson says what is wrong, the slower parser also where.
std::string describe(std::string_view json, simdjson::error_code code) {
    const ParseLimits limits{.bytes_max = kRowBytesMax, .values_max = 100'000};
    const auto slowly = parse_json(json, limits);
    if (!slowly && slowly.error().code == ErrorCode::kMalformed) {
        const Error& error = slowly.error();
        return error.param.empty() ? error.message
                                   : fmt::format("{}: {}", error.param, error.message);
    }
    return simdjson::error_message(code);
}

/// Makes records of JSON objects. Keeps its memory from one to the next.
class JsonRecords {
public:
    Record read(std::string_view json, std::int64_t number) {
        Record record;
        record.number = number;
        dom::element element;
        const auto failed = parser_.parse(json.data(), json.size()).get(element);
        dom::object object;
        if (failed != simdjson::SUCCESS) {
            record.fault = fmt::format("is no JSON: {}", describe(json, failed));
        } else if (element.get_object().get(object) != simdjson::SUCCESS) {
            record.fault = fmt::format("is no object but {}", kind_of(element));
        } else {
            for (const auto& [name, value] : object) {
                read_member(name, value, record);
            }
        }
        return record;
    }

private:
    static void read_member(std::string_view name, dom::element value, Record& record) {
        if (const auto text = column_index(kTextColumns, name)) {
            auto& cell = record.texts.at(*text);
            if (cell) {
                record.fault = fmt::format("has `{}` twice", name);
            } else if (!value.is_null()) {
                cell = cell_of(value);
            }
        } else if (column_index(kChatColumns, name) && !value.is_null()) {
            if (record.messages) {
                record.fault = "has its messages twice";
            } else {
                read_messages(value, record);
            }
        } else if (name == kMetaColumn) {
            read_meta(value, record);
        }
    }

    dom::parser parser_;
};

bool is_blank(std::string_view text) {
    return text.find_first_not_of(kSpace) == std::string_view::npos;
}

Record too_long(std::int64_t number) {
    Record record;
    record.number = number;
    record.fault = fmt::format("is longer than {} MiB", kRowBytesMax >> 20U);
    return record;
}

class JsonLines final : public RecordSource {
public:
    explicit JsonLines(ByteReader bytes) : lines_(std::move(bytes)) {}

    Result<std::optional<Record>> next() override {
        while (true) {
            TRY(const bool any, lines_.next());
            if (!any) {
                return std::nullopt;
            }
            if (lines_.too_long()) {
                return too_long(lines_.number());
            }
            if (!is_blank(lines_.line())) {
                return records_.read(lines_.line(), lines_.number());
            }
        }
    }
    std::int64_t bytes_read() const override { return lines_.bytes().consumed(); }

private:
    LineReader lines_;
    JsonRecords records_;
};

/// Finds where the elements of an array end without parsing them, so that an array of any size is
/// read an element at a time.
class JsonArray final : public RecordSource {
public:
    /// `bytes` stands at the opening bracket.
    explicit JsonArray(ByteReader bytes) : bytes_(std::move(bytes)) { bytes_.consume(1); }

    Result<std::optional<Record>> next() override {
        if (ended_) {
            return std::nullopt;
        }
        element_.clear();
        too_long_ = false;
        TRY(const char end, scan());
        ended_ = end != ',';
        const bool blank = !too_long_ && is_blank(element_);
        if (blank && end == ']' && number_ == 0) {
            return std::nullopt;
        }
        ++number_;
        if (too_long_) {
            return too_long(number_);
        }
        Record record = records_.read(element_, number_);
        if (end == '\0') {
            record.fault = "is cut off: the array is never closed";
        } else if (end == ']') {
            TRY(const bool more, has_more());
            if (more && record.fault.empty()) {
                record.fault = "ends the array, but more follows it";
            }
        }
        return record;
    }
    std::int64_t bytes_read() const override { return bytes_.consumed(); }

private:
    /// Up to the comma or bracket that ends the element, which is returned; 0 at the end of the
    /// file.
    Result<char> scan() {
        int depth = 0;
        bool in_string = false;
        bool escaped = false;
        while (true) {
            TRY(const std::string_view bytes, bytes_.peek());
            if (bytes.empty()) {
                return '\0';
            }
            for (std::size_t i = 0; i < bytes.size(); ++i) {
                const char byte = bytes[i];
                if (in_string) {
                    in_string = escaped || byte != '"';
                    escaped = !escaped && byte == '\\';
                } else if (depth == 0 && (byte == ',' || byte == ']')) {
                    append(bytes.substr(0, i));
                    bytes_.consume(i + 1);
                    return byte;
                } else {
                    in_string = byte == '"';
                    depth += byte == '{' || byte == '[' ? 1 : 0;
                    depth -= (byte == '}' || byte == ']') && depth > 0 ? 1 : 0;
                }
            }
            append(bytes);
            bytes_.consume(bytes.size());
        }
    }

    void append(std::string_view bytes) {
        too_long_ = too_long_ || element_.size() + bytes.size() > kRowBytesMax;
        if (too_long_) {
            element_.clear();
        } else {
            element_ += bytes;
        }
    }

    Result<bool> has_more() {
        while (true) {
            TRY(const std::string_view bytes, bytes_.peek());
            if (bytes.empty()) {
                return false;
            }
            if (!is_blank(bytes)) {
                return true;
            }
            bytes_.consume(bytes.size());
        }
    }

    ByteReader bytes_;
    JsonRecords records_;
    std::string element_;
    std::int64_t number_ = 0;
    bool too_long_ = false;
    bool ended_ = false;
};

}  // namespace

SourceResult open_json_lines(const std::filesystem::path& path) {
    TRY(ByteReader bytes, ByteReader::open(path));
    return std::make_unique<JsonLines>(std::move(bytes));
}

SourceResult open_json(const std::filesystem::path& path) {
    TRY(ByteReader bytes, ByteReader::open(path));
    while (true) {
        TRY(const std::string_view ahead, bytes.peek());
        const std::size_t begin = ahead.find_first_not_of(kSpace);
        if (begin == std::string_view::npos && !ahead.empty()) {
            bytes.consume(ahead.size());
            continue;
        }
        if (ahead.empty() || ahead[begin] != '[') {
            return open_json_lines(path);
        }
        bytes.consume(begin);
        return std::make_unique<JsonArray>(std::move(bytes));
    }
}

void read_messages_json(std::string_view json, Record& record) {
    dom::parser parser;
    dom::element element;
    const auto failed = parser.parse(json.data(), json.size()).get(element);
    if (failed != simdjson::SUCCESS) {
        record.messages_fault =
            fmt::format("has `messages` that are no JSON: {}", describe(json, failed));
    } else if (element.is_string()) {
        record.messages_fault = "has `messages` that are no list but text";
    } else {
        read_messages(element, record);
    }
}

void read_meta_json(std::string_view json, Record& record) {
    dom::parser parser;
    dom::element element;
    const bool is_json = parser.parse(json.data(), json.size()).get(element) == simdjson::SUCCESS;
    if (is_json && element.is_object()) {
        read_meta(element, record);
    } else {
        record.meta.emplace_back(kMetaColumn, json);
    }
}

bool is_utf8_text(std::string_view text) {
    return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace nexa::columnar::internal
