// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace nexa {

/// What stands in a log where a secret was.
inline constexpr std::string_view kRedacted = "[redacted]";

/// From now on `value` never appears in this process's logs. For whatever reads a password, a
/// token or a URL that holds one; our own API keys are known by their form. Kept until the process
/// ends. Thread-safe. Registering a value again does nothing.
/// Errors: kInvalidArgument (shorter than 4 bytes: it would stand in every second line),
/// kResourceExhausted (1024 values are registered already).
Status register_secret(std::string_view value);

/// `text` with every registered value, and everything that looks like one of our API keys
/// (`nexa_`, `nexa_rk_` or `nexa_wk_`, then 43 or more letters and digits), replaced by
/// "[redacted]". Finds values as they are, not their Base64, URL or JSON escaped forms.
/// Thread-safe. The log does this by itself; call it for other text that leaves the process.
std::string redact(std::string_view text);

}  // namespace nexa
