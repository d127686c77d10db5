// SPDX-License-Identifier: Apache-2.0
#include "protocol/deploy_spec.h"

#include <algorithm>

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(DeploySpec);

namespace {

bool is_plain(char letter, std::string_view more) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || more.contains(letter);
}

/// Clients write these into URLs, flags and configuration: no spaces, no surprises.
Status check_word(std::string_view text, std::string_view more, std::string_view field) {
    const bool plain =
        std::ranges::all_of(text, [&](char letter) { return is_plain(letter, more); });
    if (!plain || text.empty() || !is_plain(text.front(), "")) {
        return Error::invalid_argument(
                   "takes letters, digits and any of {}, and begins with a letter or digit", more
        )
            .at(field);
    }
    return {};
}

}  // namespace

Status DeploySpec::validate() const {
    TRY_STATUS(check_word(region, "._-", "region"));
    return name ? check_word(*name, "._-:/@", "name") : Status{};
}

}  // namespace nexa::protocol
