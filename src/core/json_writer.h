// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "core/decimal.h"

namespace nexa {

/// Writes JSON text from begin to end. Calls must make one whole value; `key` goes before each
/// value in an object. Not thread-safe.
class JsonWriter {
public:
    /// `indent` spaces per level, each entry on its own line; 0 writes everything on one, without
    /// spaces.
    explicit JsonWriter(std::size_t indent = 0) : indent_(indent) {}

    void begin_object() { begin('{'); }
    void end_object() { end('}'); }
    void begin_array() { begin('['); }
    void end_array() { end(']'); }
    void key(std::string_view name);

    void null() { raw("null"); }
    void boolean(bool value) { raw(value ? "true" : "false"); }
    void whole(WideInt value);
    /// The shortest text that reads back the same; null for NaN and infinity.
    void real(double value);
    void real(float value);
    /// What is no UTF-8 becomes U+FFFD.
    void string(std::string_view value);
    /// Text that is a JSON value already.
    void raw(std::string_view json);

    std::string take() { return std::move(out_); }

private:
    void begin(char bracket);
    void end(char bracket);
    void separate();
    void new_line();

    std::string out_;
    std::size_t indent_;
    std::size_t depth_ = 0;
    bool is_first_ = true;  ///< in this object or array
    bool has_key_ = false;  ///< a key waits for its value
};

}  // namespace nexa
