// SPDX-License-Identifier: Apache-2.0
#include "core/type_info.h"

#include <algorithm>
#include <array>

namespace nexa {

namespace {

constexpr std::array<NamedValue, 7> kUnits{{
    {"ns", 1},
    {"us", 1'000},
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"min", 60'000'000'000},
    {"h", 3'600'000'000'000},
    {"d", 86'400'000'000'000},
}};

}  // namespace

const FieldInfo* StructInfo::find(std::string_view key) const {
    for (const FieldInfo& field : fields) {
        if (field.rules.name == key ||
            std::ranges::find(field.rules.aliases, key) != field.rules.aliases.end()) {
            return &field;
        }
    }
    return nullptr;
}

const TypeInfo& without_optional(const TypeInfo& type) {
    const TypeInfo* inner = &type;
    while (inner->kind == TypeKind::kOptional) {
        inner = inner->element();
    }
    return *inner;
}

WideInt unit_nanoseconds(std::string_view unit) {
    for (const NamedValue& known : kUnits) {
        if (known.name == unit) {
            return known.value;
        }
    }
    NEXA_CHECK(false);  // Field::unit lets no other one through
}

std::string_view duration_unit(const FieldRules& rules, const TypeInfo& type) {
    if (!rules.unit.empty()) {
        return rules.unit;
    }
    for (const NamedValue& known : kUnits) {
        if (known.value == type.tick_ns) {
            return known.name;
        }
    }
    return "ns";
}

}  // namespace nexa
