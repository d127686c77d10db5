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

Result<Sha256Digest> TextForm<Sha256Digest>::parse(std::string_view text) {
    if (!text.starts_with("sha256:")) {
        return Error::invalid_argument("a digest starts with 'sha256:'");
    }
    return Sha256Digest::parse(text);
}

std::string TextForm<Sha256Digest>::text(const Sha256Digest& value) {
    return value == Sha256Digest() ? std::string() : value.prefixed();
}

}  // namespace nexa
