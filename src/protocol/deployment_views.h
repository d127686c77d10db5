// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"

namespace nexa::protocol {

/// How a deployment stands on one gateway that was heard of lately.
struct DeploymentGateway {
    static constexpr std::string_view kName = "DeploymentGateway";
    std::string gateway_id;
    std::string url;
    std::string state;
    std::string message;
    std::string last_seen_at;

    static constexpr auto fields() {
        return std::tuple{
            field("gateway_id", &DeploymentGateway::gateway_id, "The gateway").required(),
            field("url", &DeploymentGateway::url, "Where clients reach it").required(),
            field("state", &DeploymentGateway::state, "loading, ready or failed").required(),
            field("message", &DeploymentGateway::message, "Why it failed"),
            field("last_seen_at", &DeploymentGateway::last_seen_at, "Of its newest report")
                .required(),
        };
    }
};

/// A model behind the gateways of a region.
struct DeploymentView {
    static constexpr std::string_view kName = "DeploymentView";
    std::string deployment_id;
    std::string name;
    std::string region;
    std::string state;
    std::string message;
    std::optional<std::string> inference_url;
    std::string job_id;
    std::string created_at;
    std::string updated_at;
    std::vector<DeploymentGateway> gateways;

    static constexpr auto fields() {
        return std::tuple{
            field("deployment_id", &DeploymentView::deployment_id, "The deployment").required(),
            field("name", &DeploymentView::name, "Model name that clients ask for").required(),
            field("region", &DeploymentView::region, "Pool of gateways that serves it").required(),
            field("state", &DeploymentView::state, "loading, ready, failed or stopped").required(),
            field("message", &DeploymentView::message, "Why it failed or was stopped"),
            field(
                "inference_url",
                &DeploymentView::inference_url,
                "Base URL of the OpenAI API that serves it; null until one does"
            )
                .null_when_empty(),
            field("job_id", &DeploymentView::job_id, "The job that deployed it").required(),
            field("created_at", &DeploymentView::created_at, "When").required(),
            field("updated_at", &DeploymentView::updated_at, "When it was last deployed or stopped")
                .required(),
            field("gateways", &DeploymentView::gateways, "Those that have it, as they reported")
                .required(),
        };
    }
};

struct DeploymentList {
    static constexpr std::string_view kName = "DeploymentList";
    std::string object = "list";
    std::vector<DeploymentView> data;
    bool has_more = false;
    std::optional<std::string> next_cursor;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &DeploymentList::object, "list").required(),
            field("data", &DeploymentList::data, "Newest first").required(),
            field("has_more", &DeploymentList::has_more, "True: ask again with `after`").required(),
            field("next_cursor", &DeploymentList::next_cursor, "To give as `after`")
                .null_when_empty(),
        };
    }
};

/// What the control plane's signatures are checked with.
struct CoordinatorKeyView {
    static constexpr std::string_view kName = "CoordinatorKeyView";
    std::string public_key;

    static constexpr auto fields() {
        return std::tuple{
            field("public_key", &CoordinatorKeyView::public_key, "Ed25519, base64").required()
        };
    }
};

}  // namespace nexa::protocol
