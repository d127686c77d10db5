// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/fields.h"
#include "core/result.h"

namespace nexa::protocol {

/// Which model to serve, where, under which name.
struct DeploySpec {
    static constexpr std::string_view kName = "DeploySpec";
    std::string model_id;
    std::string region = "local";
    std::optional<std::string> name;

    /// Errors: kInvalidArgument (a region or name that is no plain word).
    Status validate() const;

    bool operator==(const DeploySpec&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("model_id", &DeploySpec::model_id, "Checkpoint to serve")
                .required()
                .alias("model")
                .alias("checkpoint_id")
                .length(1, 2048)
                .example("ckpt_456"),
            field("region", &DeploySpec::region, "Gateway pool that serves it")
                .length(1, 64)
                .example("us-east-1"),
            field(
                "name", &DeploySpec::name, "Model name on the gateway; default: the deployment's id"
            )
                .length(1, 128),
        };
    }
};

}  // namespace nexa::protocol
