// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "protocol/artifact_files.h"

namespace nexa::protocol {

// What gateways and the control plane say to each other. A gateway asks (GET
// /api/gateway/snapshot?region=R&serial=S&wait_seconds=W): the answer is held back until the serial
// has moved on, and is a DSSE envelope signed by the control plane, so that a copy on disk can be
// trusted later. The control plane never calls a gateway.

inline constexpr std::string_view kGatewaySnapshotPayloadType =
    "application/vnd.nexa.gateway-snapshot+json";

/// A model that a gateway is to serve.
struct GatewayDeployment {
    static constexpr std::string_view kName = "GatewayDeployment";
    std::string deployment_id;
    std::string name;
    std::string project_id;
    std::string root_digest;
    std::vector<InputFile> files;
    std::string created_at;

    bool operator==(const GatewayDeployment&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("deployment_id", &GatewayDeployment::deployment_id, "The deployment").required(),
            field("name", &GatewayDeployment::name, "Model name that clients ask for").required(),
            field("project_id", &GatewayDeployment::project_id, "Whose it is").required(),
            field("root_digest", &GatewayDeployment::root_digest, "Digest over its files")
                .required(),
            field("files", &GatewayDeployment::files, "The model's folder, each file a blob")
                .required(),
            field("created_at", &GatewayDeployment::created_at, "RFC 3339"),
        };
    }
};

/// A key that may ask for inference. Only its hash travels.
struct GatewayKey {
    static constexpr std::string_view kName = "GatewayKey";
    std::string key_id;
    std::string project_id;
    std::string sha256;
    std::optional<std::string> expires_at;

    bool operator==(const GatewayKey&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("key_id", &GatewayKey::key_id, "For logs and usage").required(),
            field("project_id", &GatewayKey::project_id, "Whose models it may use").required(),
            field("sha256", &GatewayKey::sha256, "Hex SHA-256 of the key").required(),
            field("expires_at", &GatewayKey::expires_at, "RFC 3339; absent: never"),
        };
    }
};

/// Everything a gateway serves by, whole each time.
struct GatewaySnapshot {
    static constexpr std::string_view kName = "GatewaySnapshot";
    std::int64_t serial = 0;
    std::string region;
    std::string created_at;
    std::vector<GatewayDeployment> deployments;
    std::vector<GatewayKey> keys;

    bool operator==(const GatewaySnapshot&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("serial", &GatewaySnapshot::serial, "Rises with every change").required(),
            field("region", &GatewaySnapshot::region, "Pool of gateways it is for").required(),
            field("created_at", &GatewaySnapshot::created_at, "RFC 3339").required(),
            field("deployments", &GatewaySnapshot::deployments, "Models to serve").required(),
            field("keys", &GatewaySnapshot::keys, "Keys that may ask").required(),
        };
    }
};

/// How one deployment stands on one gateway.
struct GatewayDeploymentState {
    static constexpr std::string_view kName = "GatewayDeploymentState";
    std::string deployment_id;
    std::string state;
    std::string message;

    bool operator==(const GatewayDeploymentState&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("deployment_id", &GatewayDeploymentState::deployment_id, "The deployment")
                .required(),
            field("state", &GatewayDeploymentState::state, "loading, ready or failed")
                .required()
                .one_of({"loading", "ready", "failed"}),
            field("message", &GatewayDeploymentState::message, "Why it failed").length(0, 4096),
        };
    }
};

/// POST /api/gateway/report: after each change of a state, and every 15 s as a sign of life.
struct GatewayReport {
    static constexpr std::string_view kName = "GatewayReport";
    std::string gateway_id;
    std::string region;
    std::string url;
    std::int64_t serial = 0;
    std::vector<GatewayDeploymentState> deployments;

    bool operator==(const GatewayReport&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("gateway_id", &GatewayReport::gateway_id, "Which gateway, kept over restarts")
                .required()
                .length(1, 64),
            field("region", &GatewayReport::region, "Its pool").required().length(1, 64),
            field("url", &GatewayReport::url, "Where clients reach it").required().length(1, 2048),
            field("serial", &GatewayReport::serial, "Of the snapshot it serves by"),
            field("deployments", &GatewayReport::deployments, "All it was told to serve")
                .required(),
        };
    }
};

/// What one answer used.
struct GatewayUsageLine {
    static constexpr std::string_view kName = "GatewayUsageLine";
    static constexpr std::int64_t kTokensMax = 1'000'000'000;
    std::string id;
    std::string at;
    std::string key_id;
    std::string project_id;
    std::string deployment_id;
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;

    bool operator==(const GatewayUsageLine&) const = default;
    static constexpr auto fields() {
        using Line = GatewayUsageLine;
        return std::tuple{
            field("id", &Line::id, "Of the answer, so that a line counts once")
                .required()
                .length(1, 64),
            field("at", &Line::at, "RFC 3339").required().length(1, 64),
            field("key_id", &Line::key_id, "Who asked; empty without keys").length(0, 255),
            field("project_id", &Line::project_id, "Who pays; empty: nobody").length(0, 255),
            field("deployment_id", &Line::deployment_id, "Which model").required().length(1, 255),
            field("prompt_tokens", &Line::prompt_tokens, "Read").required().within(0, kTokensMax),
            field("completion_tokens", &Line::completion_tokens, "Generated")
                .required()
                .within(0, kTokensMax),
        };
    }
};

/// POST /api/gateway/usage. Sending lines again changes nothing: a gateway sends what was not
/// confirmed.
struct GatewayUsage {
    static constexpr std::string_view kName = "GatewayUsage";
    static constexpr std::size_t kLinesMax = 1000;
    std::vector<GatewayUsageLine> lines;

    bool operator==(const GatewayUsage&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("lines", &GatewayUsage::lines, "One for each answer")
                .required()
                .length(1, kLinesMax),
        };
    }
};

/// All lines of the request are on the disk.
struct GatewayUsageReply {
    static constexpr std::string_view kName = "GatewayUsageReply";
    std::int64_t taken = 0;

    bool operator==(const GatewayUsageReply&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("taken", &GatewayUsageReply::taken, "Lines that need not be sent again")
                .required()
        };
    }
};

struct GatewayReportReply {
    static constexpr std::string_view kName = "GatewayReportReply";
    std::int64_t serial = 0;

    bool operator==(const GatewayReportReply&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("serial", &GatewayReportReply::serial, "Of the newest snapshot").required()
        };
    }
};

}  // namespace nexa::protocol
