// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace nexa {

/// One JSON value as text, carried without looking inside: how JSON crosses modules. As a member of
/// a border struct it is embedded byte for byte and comes out as it went in. Empty means "not set".
/// Whoever fills `text` says that it is valid JSON; from_json only ever fills in valid JSON.
struct JsonText {
    std::string text;

    friend bool operator==(const JsonText&, const JsonText&) = default;
};

}  // namespace nexa
