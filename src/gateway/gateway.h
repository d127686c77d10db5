// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "core/secrets.h"
#include "gateway/model_keeper.h"
#include "gateway/text_endpoints.h"

namespace nexa::gateway {

/// A model folder that the operator named, served to every key.
struct StaticModel {
    std::string name;
    std::filesystem::path folder;

    friend bool operator==(const StaticModel&, const StaticModel&) = default;
};
/// Reads "NAME=FOLDER". Errors: kInvalidArgument.
Result<StaticModel> parse_static_model(std::string_view text);

/// The control plane that says what to serve.
struct ControlPlane {
    std::string server_url;
    Secret api_key;
    std::string region = "local";
};

struct GatewaySettings {
    std::filesystem::path dir;  ///< DIR/gateway is the gateway's own
    std::filesystem::path engine;
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;  ///< 0: any free one
    std::vector<StaticModel> models = {};
    std::filesystem::path keys_file = {};  ///< KeyTable::from_file(); empty: none
    std::optional<ControlPlane> control = {};
    /// Where clients reach it; empty: by `address`, or by this machine's name where that is all.
    std::string public_url = {};
    std::string version = {};
    std::string commit = {};                            ///< that the program was built from
    std::chrono::milliseconds drain_max{20'000};        ///< for requests, when the gateway stops
    std::chrono::milliseconds send_usage_every{2'000};  ///< to the control plane
    KeeperOptions keeper = {};                          ///< its folder and program come from above
    TextOptions text = {};
};

/// A whole gateway: what the control plane says, models, their runners, the HTTP server. Blocking
/// calls, from one thread.
class Gateway {
public:
    /// Makes the folders and takes the lock on them. Errors: kConflict (another gateway has them),
    /// kInvalidArgument (no keys although others than this machine can connect; two models of one
    /// name), those of KeyTable::from_file(), kUnavailable. `clock` and `random` outlive it.
    static Result<std::unique_ptr<Gateway>> open(
        GatewaySettings settings, const Clock& clock, Random& random
    );
    ~Gateway();  ///< as stop()

    /// Listens and begins to load. Errors: kUnavailable (the port).
    Status start();
    std::uint16_t port() const;
    /// Takes no more requests, lets those that run end within `drain_max`, ends the runners.
    /// Repeatable.
    void stop();

private:
    class Impl;
    explicit Gateway(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace nexa::gateway
