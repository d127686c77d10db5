// SPDX-License-Identifier: Apache-2.0
#include "core/value_node.h"
#include "engine/columnar/byte_reader_internal.h"
#include "engine/columnar/source_internal.h"

namespace nexa::columnar::internal {

namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr ParseLimits kLimits{.bytes_max = kRowBytesMax};

using Kind = ValueNode::Kind;

std::string_view kind_of(const ValueNode& node) {
    switch (node.kind) {
        case Kind::kArray:
            return "a list";
        case Kind::kObject:
            return "an object";
        case Kind::kBool:
            return "true or false";
        case Kind::kNull:
            return "null";
        case Kind::kNumber:
            return "a number";
        default:
            return "text";
    }
}

bool is_list_or_object(const ValueNode& node) {
    return node.kind == Kind::kArray || node.kind == Kind::kObject;
}

/// Text as it is, numbers and truth values as they are written; nothing for lists and objects.
std::optional<std::string> text_of(const ValueNode& node) {
    return is_list_or_object(node) ? std::nullopt : std::optional(node.text);
}

Record::Cell cell_of(const ValueNode& node) {
    if (auto text = text_of(node)) {
        return {.text = std::move(*text), .fault = {}};
    }
    return {.text = {}, .fault = fmt::format("is no text but {}", kind_of(node))};
}

/// The parts of a message that are text, as chat completion requests have them: [{"type": "text",
/// "text": …}].
std::optional<std::string> text_of_parts(const ValueNode& content) {
    std::string joined;
    for (const ValueNode& part : content.items) {
        const ValueNode* text = part.find("text");
        if (content.kind != Kind::kArray || text == nullptr || text->kind != Kind::kString) {
            return std::nullopt;
        }
        joined += text->text;
    }
    return joined;
}

const ValueNode* find_either(const ValueNode& node, std::string_view name, std::string_view other) {
    const ValueNode* found = node.find(name);
    return found != nullptr ? found : node.find(other);
}

std::expected<text::ChatMessage, std::string> message_of(const ValueNode& node) {
    if (node.kind != Kind::kObject) {
        return std::unexpected(fmt::format(" is no object but {}", kind_of(node)));
    }
    const ValueNode* role = find_either(node, "role", "from");
    if (role == nullptr) {
        return std::unexpected(" lacks `role`");
    }
    if (role->kind != Kind::kString) {
        return std::unexpected(fmt::format(".role is no text but {}", kind_of(*role)));
    }
    const ValueNode* content = find_either(node, "content", "value");
    if (content == nullptr) {
        return std::unexpected(" lacks `content`");
    }
    auto text = is_list_or_object(*content) ? text_of_parts(*content) : text_of(*content);
    if (!text) {
        return std::unexpected(fmt::format(".content is no text but {}", kind_of(*content)));
    }
    return text::ChatMessage{.role = role_named(role->text), .content = std::move(*text)};
}

void read_messages(const ValueNode& node, Record& record) {
    if (node.kind == Kind::kString) {
        read_messages_json(node.text, record);
        return;
    }
    if (node.kind != Kind::kArray) {
        record.messages_fault =
            fmt::format("has `messages` that are no list but {}", kind_of(node));
        return;
    }
    std::vector<text::ChatMessage> messages;
    for (const ValueNode& item : node.items) {
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

void read_meta(const ValueNode& node, Record& record) {
    if (node.kind == Kind::kObject) {
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            auto text = text_of(node.items[i]);
            record.meta.emplace_back(
                node.keys[i], text ? std::move(*text) : std::string(node.items[i].raw)
            );
        }
    } else if (node.kind == Kind::kString) {
        read_meta_json(node.text, record);
    } else if (node.kind != Kind::kNull) {
        record.meta.emplace_back(kMetaColumn, node.raw);
    }
}

void read_member(std::string_view name, const ValueNode& value, Record& record) {
    if (value.kind == Kind::kNull) {
        return;
    }
    if (const auto text = column_index(kTextColumns, name)) {
        record.texts.at(*text) = cell_of(value);
    } else if (column_index(kChatColumns, name) && !record.messages) {
        read_messages(value, record);
    } else if (name == kMetaColumn) {
        read_meta(value, record);
    }
}

/// What is wrong and where: the column of a record on one line, else also its line in the record.
std::string describe(const Error& error) {
    constexpr std::string_view kFirstLine = "line 1, ";
    std::string_view place = error.param;
    if (place.starts_with(kFirstLine)) {
        place.remove_prefix(kFirstLine.size());
    }
    return place.empty() ? error.message : fmt::format("{}: {}", place, error.message);
}

Record read_record(std::string_view json, std::int64_t number) {
    Record record;
    record.number = number;
    const auto node = parse_json(json, kLimits);
    if (!node) {
        record.fault = fmt::format("is no JSON that can be read: {}", describe(node.error()));
    } else if (node->kind != Kind::kObject) {
        record.fault = fmt::format("is no object but {}", kind_of(*node));
    } else {
        for (std::size_t i = 0; i < node->items.size(); ++i) {
            read_member(node->keys[i], node->items[i], record);
        }
    }
    return record;
}

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
                return read_record(lines_.line(), lines_.number());
            }
        }
    }
    std::int64_t bytes_read() const override { return lines_.bytes().consumed(); }

private:
    LineReader lines_;
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
        Record record = read_record(element_, number_);
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
    const auto node = parse_json(json, kLimits);
    if (!node) {
        record.messages_fault =
            fmt::format("has `messages` that are no JSON: {}", describe(node.error()));
    } else if (node->kind == Kind::kString) {
        record.messages_fault = "has `messages` that are no list but text";
    } else {
        read_messages(*node, record);
    }
}

void read_meta_json(std::string_view json, Record& record) {
    const auto node = parse_json(json, kLimits);
    if (node && node->kind == Kind::kObject) {
        read_meta(*node, record);
    } else {
        record.meta.emplace_back(kMetaColumn, json);
    }
}

}  // namespace nexa::columnar::internal
