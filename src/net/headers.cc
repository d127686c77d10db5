// SPDX-License-Identifier: Apache-2.0
#include "net/headers.h"

#include <algorithm>

namespace nexa::net {

namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char left, char right) {
               return lower(left) == lower(right);
           });
}

void Headers::set(std::string_view name, std::string value) {
    remove(name);
    add(std::string(name), std::move(value));
}

void Headers::remove(std::string_view name) {
    std::erase_if(fields_, [name](const Header& field) {
        return equals_ignoring_case(field.name, name);
    });
}

const std::string* Headers::find(std::string_view name) const {
    for (const Header& field : fields_) {
        if (equals_ignoring_case(field.name, name)) {
            return &field.value;
        }
    }
    return nullptr;
}

std::string_view Headers::get(std::string_view name) const {
    const std::string* value = find(name);
    return value != nullptr ? std::string_view(*value) : std::string_view();
}

std::size_t Headers::count(std::string_view name) const {
    return static_cast<std::size_t>(std::ranges::count_if(fields_, [name](const Header& field) {
        return equals_ignoring_case(field.name, name);
    }));
}

}  // namespace nexa::net
