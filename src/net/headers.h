// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nexa::net {

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

struct Header {
    std::string name;
    std::string value;
};

/// Header fields in the order they came; names compare without case. Not thread-safe.
class Headers {
public:
    Headers() = default;
    Headers(std::initializer_list<Header> fields) : fields_(fields) {}

    void add(std::string name, std::string value) {
        fields_.push_back({std::move(name), std::move(value)});
    }
    /// Replaces every field of this name by one.
    void set(std::string_view name, std::string value);
    void remove(std::string_view name);
    /// The first value, or nullptr.
    const std::string* find(std::string_view name) const;
    /// The first value, or "".
    std::string_view get(std::string_view name) const;
    std::size_t count(std::string_view name) const;

    std::size_t size() const { return fields_.size(); }
    auto begin() const { return fields_.begin(); }
    auto end() const { return fields_.end(); }

private:
    std::vector<Header> fields_;
};

}  // namespace nexa::net
