// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"

namespace nexa::gateway_app {

/// What an operator can set: as a flag, NEXA_<NAME>, in the file of --config.
struct Settings {
    static constexpr std::string_view kName = "GatewaySettings";
    std::string dir = "nexa-data";
    std::string address = "127.0.0.1";
    int port = 8080;
    std::string server;
    std::string key_file;
    std::string region = "local";
    std::string url;
    std::vector<std::string> models;
    std::string keys_file;
    std::string engine;
    int drain_seconds = 20;
    std::string log_level = "info";

    static constexpr auto fields() {
        return std::tuple{
            field("dir", &Settings::dir, "Folder for its state; DIR/gateway is its own")
                .length(1, 4096),
            field("address", &Settings::address, "Address to listen on").length(1, 255),
            field("port", &Settings::port, "Port to listen on; 0: any free one").within(0, 65'535),
            field(
                "server",
                &Settings::server,
                "The Nexa Forge server that says what to serve; empty: `models` alone"
            )
                .length(0, 2048),
            field(
                "key_file",
                &Settings::key_file,
                "File with the key for the server; empty: NEXA_API_KEY or NEXA_API_KEY_FILE"
            )
                .length(0, 4096),
            field("region", &Settings::region, "The pool of gateways it is of").length(1, 64),
            field(
                "url",
                &Settings::url,
                "Where clients reach it; empty: address and port, or this machine's name"
            )
                .length(0, 2048),
            field("models", &Settings::models, "Folders to serve besides, each NAME=FOLDER")
                .length(0, 1000),
            field(
                "keys_file",
                &Settings::keys_file,
                "Keys that may ask for any model, or their SHA-256, one a line"
            )
                .length(0, 4096),
            field("engine", &Settings::engine, "The engine; empty: nexa-engine beside this program")
                .length(0, 4096),
            field("drain_seconds", &Settings::drain_seconds, "For requests to end after SIGTERM")
                .within(0, 86'400)
                .unit("s"),
            field("log_level", &Settings::log_level, "Least level that is logged")
                .one_of({"debug", "info", "warning", "error", "off"}),
        };
    }
};

}  // namespace nexa::gateway_app
