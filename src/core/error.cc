// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"

namespace nexa {

Error Error::at(std::string_view place) && {
    if (param.empty()) {
        param = place;
    } else {
        // "rows" + "[3].text" is one path; "payload" + "epochs" needs the dot.
        param = fmt::format("{}{}{}", place, param.starts_with('[') ? "" : ".", param);
    }
    return std::move(*this);
}

Error Error::hint(std::string_view what_to_do) && {
    advice = what_to_do;
    return std::move(*this);
}

Error Error::while_doing(std::string_view what) && {
    message = fmt::format("{}: {}", what, message);
    return std::move(*this);
}

std::string Error::to_string() const {
    std::string text = param.empty() ? message : fmt::format("{}: {}", param, message);
    if (!advice.empty()) {
        text += fmt::format(" ({})", advice);
    }
    return text;
}

}  // namespace nexa
