// SPDX-License-Identifier: Apache-2.0
#include "core/text_form.h"

#include <fmt/format.h>

namespace nexa {

std::string TextForm<Timestamp>::text(const Timestamp& value) {
    std::string text = to_rfc3339(value);
    const auto whole = std::chrono::floor<std::chrono::milliseconds>(value);
    if (const auto rest = (value - whole).count(); rest != 0) {
        text.insert(text.size() - 1, fmt::format("{:03}", rest));
    }
    return text;
}

}  // namespace nexa
