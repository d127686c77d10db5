// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "core/fields.h"

namespace nexa::nexad {

/// What an operator can set: as a flag, NEXA_<NAME>, in nexa.yaml.
struct Settings {
    static constexpr std::string_view kName = "NexadSettings";
    std::string dir = "nexa-data";
    std::string address = "127.0.0.1";
    int port = 8000;
    double lease_seconds = 60;
    double deploy_seconds = 120;
    std::vector<std::string> regions{"local"};
    std::string rate_card = "platform-1";
    std::string log_level = "info";
    std::string log_format = "json";

    static constexpr auto fields() {
        return std::tuple{
            field("dir", &Settings::dir, "Folder of the database, artifacts and keys")
                .length(1, 4096),
            field("address", &Settings::address, "Address to listen on").length(1, 255),
            field("port", &Settings::port, "Port to listen on; 0: any free one").within(0, 65535),
            field(
                "lease_seconds",
                &Settings::lease_seconds,
                "How long a worker may be silent before its job is given to another"
            )
                .within(1, 3600)
                .unit("s"),
            field(
                "deploy_seconds",
                &Settings::deploy_seconds,
                "How long a deploy job waits for a gateway that serves its model"
            )
                .within(1, 86400)
                .unit("s"),
            field(
                "regions",
                &Settings::regions,
                "Regions to deploy to, besides those that gateways reported from"
            ),
            field("rate_card", &Settings::rate_card, "Prices of new charges").length(1, 64),
            field("log_level", &Settings::log_level, "Least level that is logged")
                .one_of({"debug", "info", "warning", "error", "off"}),
            field("log_format", &Settings::log_format, "One JSON object a line, or text for people")
                .one_of({"json", "text"}),
        };
    }
};

}  // namespace nexa::nexad
