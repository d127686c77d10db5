// SPDX-License-Identifier: Apache-2.0
#include "core/json_writer.h"

#include <cmath>

#include <fmt/format.h>

#include "core/check.h"
#include "core/json_string.h"

namespace nexa {

void JsonWriter::key(std::string_view name) {
    NEXA_CHECK(depth_ > 0 && !has_key_);
    separate();
    append_json_string(out_, name);
    out_ += indent_ == 0 ? ":" : ": ";
    has_key_ = true;
}

void JsonWriter::whole(WideInt value) {
    raw(fmt::format("{}", value));
}

void JsonWriter::real(double value) {
    raw(std::isfinite(value) ? fmt::format("{}", value) : "null");
}

void JsonWriter::real(float value) {
    raw(std::isfinite(value) ? fmt::format("{}", value) : "null");
}

void JsonWriter::string(std::string_view value) {
    separate();
    append_json_string(out_, value);
}

void JsonWriter::raw(std::string_view json) {
    separate();
    out_ += json;
}

void JsonWriter::begin(char bracket) {
    separate();
    out_ += bracket;
    ++depth_;
    is_first_ = true;
}

void JsonWriter::end(char bracket) {
    NEXA_CHECK(depth_ > 0 && !has_key_);
    --depth_;
    if (!is_first_) {
        new_line();
    }
    out_ += bracket;
    is_first_ = false;
}

void JsonWriter::separate() {
    if (has_key_) {
        has_key_ = false;
        return;
    }
    if (depth_ == 0) {
        return;
    }
    if (!is_first_) {
        out_ += ',';
    }
    is_first_ = false;
    new_line();
}

void JsonWriter::new_line() {
    if (indent_ > 0) {
        out_ += '\n';
        out_.append(depth_ * indent_, ' ');
    }
}

}  // namespace nexa
