// SPDX-License-Identifier: Apache-2.0
#include "db/postgres_text_internal.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace nexa::db {

namespace {

bool starts_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool continues_name(char c) {
    return starts_name(c) || is_digit(c);
}
bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_control_word(std::string word) {
    static constexpr std::array<std::string_view, 9> kWords{
        "abort", "begin", "commit", "end", "prepare", "release", "rollback", "savepoint", "start"
    };
    std::ranges::transform(word, word.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return std::ranges::find(kWords, word) != kWords.end();
}

/// Copies the text piece by piece, with parameters replaced.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    PostgresText read() && {
        while (at_ < text_.size()) {
            step();
        }
        return std::move(result_);
    }

private:
    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    void copy(std::size_t count) {
        count = std::min(count, text_.size() - at_);
        result_.text += text_.substr(at_, count);
        at_ += count;
    }
    /// Up to the end of the text, if `end` does not come.
    void copy_past(std::string_view end, std::size_t from) {
        const std::size_t found = text_.find(end, at_ + from);
        copy(found == std::string_view::npos ? text_.size() : found + end.size() - at_);
    }

    void step() {
        const char c = peek();
        if (is_space(c)) {
            copy(1);
        } else if (c == '-' && peek(1) == '-') {
            copy_past("\n", 2);
        } else if (c == '/' && peek(1) == '*') {
            copy_comment();
        } else if (c == ';') {
            in_statement_ = false;
            copy(1);
        } else {
            read_token(c);
        }
    }

    void read_token(char c) {
        if (!in_statement_) {
            in_statement_ = true;
            ++result_.statements;
            if (starts_name(c)) {
                result_.controls_transactions |= is_control_word(std::string(name_at(at_)));
            }
        }
        if (c == '\'') {
            copy_quoted('\'', false);
        } else if (c == '"') {
            copy_quoted('"', false);
        } else if (c == '$') {
            read_dollar();
        } else if (c == ':' && peek(1) == ':') {
            copy(2);
        } else if (c == ':' && starts_name(peek(1))) {
            read_parameter();
        } else if (starts_name(c)) {
            const std::string_view name = name_at(at_);
            copy(name.size());
            if ((name == "e" || name == "E") && peek() == '\'') {
                copy_quoted('\'', true);
            }
        } else {
            copy(1);
        }
    }

    std::string_view name_at(std::size_t from) const {
        std::size_t end = from;
        while (end < text_.size() && continues_name(text_[end])) {
            ++end;
        }
        return text_.substr(from, end - from);
    }

    /// PostgreSQL's comments nest.
    void copy_comment() {
        int depth = 0;
        do {
            if (peek() == '/' && peek(1) == '*') {
                ++depth;
                copy(2);
            } else if (peek() == '*' && peek(1) == '/') {
                --depth;
                copy(2);
            } else {
                copy(1);
            }
        } while (depth > 0 && at_ < text_.size());
    }

    /// A doubled quote ends one part and starts the next, so it needs no case of its own.
    void copy_quoted(char quote, bool backslashes) {
        copy(1);
        while (at_ < text_.size()) {
            const char c = peek();
            copy(backslashes && c == '\\' ? 2 : 1);
            if (c == quote) {
                return;
            }
        }
    }

    /// $tag$ … $tag$, or $1.
    void read_dollar() {
        if (is_digit(peek(1))) {
            result_.has_number = true;
        }
        const std::string_view tag = name_at(at_ + 1);
        const std::size_t size = tag.size() + 2;
        if (!is_digit(peek(1)) && peek(tag.size() + 1) == '$') {
            copy_past(text_.substr(at_, size), size);
        } else {
            copy(1);
        }
    }

    void read_parameter() {
        const std::string_view name = name_at(at_ + 1);
        auto& known = result_.parameters;
        auto found = std::ranges::find(known, name);
        if (found == known.end()) {
            found = known.emplace(known.end(), name);
        }
        result_.text += fmt::format("${}", found - known.begin() + 1);
        at_ += name.size() + 1;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    bool in_statement_ = false;
    PostgresText result_;
};

}  // namespace

PostgresText parse_postgres_text(std::string_view text) {
    return Reader(text).read();
}

}  // namespace nexa::db
