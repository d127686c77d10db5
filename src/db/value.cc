// SPDX-License-Identifier: Apache-2.0
#include "db/value.h"

#include <array>

namespace nexa::db {

std::string_view Value::kind() const {
    static constexpr std::array<std::string_view, 5> kNames{
        "null", "integer", "real", "text", "blob"
    };
    static_assert(std::variant_size_v<Variant> == kNames.size());
    return kNames[value_.index()];
}

const Value* Params::find(std::string_view name) const {
    for (const Param& param : params_) {
        if (param.name == name) {
            return &param.value;
        }
    }
    return nullptr;
}

}  // namespace nexa::db
