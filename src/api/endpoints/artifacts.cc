// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/artifacts.h"

#include "api/authenticator.h"
#include "api/blob_response.h"
#include "api/query.h"
#include "api/rows.h"

namespace nexa::api {

namespace {

using net::Method;

constexpr Noun kNoun{
    .tag = "artifacts", .read_scope = "artifacts:read", .write_scope = "artifacts:write"
};

constexpr std::size_t kFileListBytesMax = std::size_t{32} << 20;

Result<orchestration::ArtifactFilter> filter_of(const net::Call& call) {
    const net::Query& query = call.head->query;
    orchestration::ArtifactFilter filter{
        .tenant_id = principal_of(call.principal).project_id,
        .kind = text_parameter(query, "kind"),
        .job_id = text_parameter(query, "job_id"),
    };
    TRY(filter.limit, limit_parameter(query));
    TRY(const auto after, integer_parameter(query, "after", {.least = 0, .greatest = INT64_MAX}));
    if (after > 0) {
        filter.after = after;
    }
    return filter;
}

}  // namespace

std::vector<net::Route> ArtifactEndpoints::routes() {
    net::Route put_row =
        row(kNoun,
            {Method::kPut, "/api/blobs/{digest}", "blobs_put", "Upload bytes under their SHA-256"});
    put_row = upload(std::move(put_row));
    put_row.handler = bound(*this, &ArtifactEndpoints::put_blob);
    net::Route add_row = row(
        kNoun,
        {Method::kPost, "/api/artifacts", "artifacts_create", "Make an artifact of uploaded files"}
    );
    add_row.body_bytes_max = kFileListBytesMax;
    add_row.success_status = 201;
    net::Route list_row =
        row(kNoun,
            {Method::kGet, "/api/artifacts", "artifacts_list", "List your artifacts, newest first"}
        );
    list_row.parameters = {
        {.name = "kind", .description = "dataset, distill, checkpoint, eval or deployment"},
        {.name = "job_id", .description = "Only what this job made"},
        {.name = "limit",
         .description = "Artifacts per page, 1 to 100",
         .schema = R"({"type":"integer"})"},
        {.name = "after", .description = "next_cursor of the page before"},
    };
    net::Route manifest_row =
        row(kNoun,
            {Method::kGet,
             "/api/artifacts/{artifact_id}/manifest",
             "artifacts_manifest",
             "Read an artifact's manifest"});
    manifest_row.response = {.name = "Manifest", .schema = {}};
    manifest_row.handler = bound(*this, &ArtifactEndpoints::manifest);
    net::Route file_row =
        row(kNoun,
            {Method::kGet,
             "/api/artifacts/{artifact_id}/files/{path...}",
             "artifacts_file",
             "Download a file of an artifact; takes Range"});
    file_row.response = {.name = "File", .schema = {}, .content_type = "application/octet-stream"};
    file_row.handler = bound(*this, &ArtifactEndpoints::file);
    net::Route remove_row =
        row(kNoun,
            {Method::kDelete,
             "/api/artifacts/{artifact_id}",
             "artifacts_delete",
             "Delete an artifact that no running job and no deployment needs"});
    remove_row.success_status = 204;
    remove_row.handler = bound(*this, &ArtifactEndpoints::remove);
    return {
        std::move(put_row),
        net::typed(
            row(kNoun,
                {Method::kPost,
                 "/api/blobs/{digest}/plan",
                 "blobs_plan",
                 "Ask where to put bytes: here, or past us into the store"}),
            *this,
            &ArtifactEndpoints::plan_blob
        ),
        net::typed(add_row, *this, &ArtifactEndpoints::add),
        net::typed(list_row, *this, &ArtifactEndpoints::list),
        net::typed(
            row(kNoun,
                {Method::kGet, "/api/artifacts/{artifact_id}", "artifacts_get", "Read one artifact"}
            ),
            *this,
            &ArtifactEndpoints::get
        ),
        net::typed(
            row(kNoun,
                {Method::kGet,
                 "/api/artifacts/{artifact_id}/lineage",
                 "artifacts_lineage",
                 "Read what an artifact was made from, and what was made from it"}),
            *this,
            &ArtifactEndpoints::lineage
        ),
        std::move(remove_row),
        std::move(manifest_row),
        std::move(file_row),
    };
}

net::Task<net::Response> ArtifactEndpoints::put_blob(net::Request request) {
    CO_TRY_STATUS(co_await artifacts_.upload(
        request.parameter("digest"), principal_of(request.principal).project_id, request.stream
    ));
    co_return net::Response::empty(204);
}

net::Task<protocol::UploadPlan> ArtifactEndpoints::plan_blob(
    net::Call call, protocol::UploadWish wish
) {
    co_return co_await artifacts_.plan_upload(
        call.parameter("digest"), principal_of(call.principal).project_id, wish
    );
}

net::Task<protocol::ArtifactView> ArtifactEndpoints::add(
    net::Call call, protocol::ArtifactCreate wish
) {
    co_return co_await artifacts_.add(std::move(wish), principal_of(call.principal));
}

net::Task<protocol::ArtifactList> ArtifactEndpoints::list(net::Call call) {
    CO_TRY(auto filter, filter_of(call));
    CO_TRY(auto page, co_await artifacts_.list(std::move(filter)));
    co_return protocol::ArtifactList{
        .data = std::move(page.artifacts),
        .has_more = page.next_cursor.has_value(),
        .next_cursor = page.next_cursor,
    };
}

net::Task<protocol::ArtifactView> ArtifactEndpoints::get(net::Call call) {
    co_return co_await artifacts_.get(call.parameter("artifact_id"), principal_of(call.principal));
}

net::Task<protocol::ArtifactLineage> ArtifactEndpoints::lineage(net::Call call) {
    co_return co_await artifacts_.lineage(
        call.parameter("artifact_id"), principal_of(call.principal)
    );
}

net::Task<net::Response> ArtifactEndpoints::remove(net::Request request) {
    CO_TRY_STATUS(co_await artifacts_.remove(
        request.parameter("artifact_id"), principal_of(request.principal)
    ));
    co_return net::Response::empty(204);
}

net::Task<net::Response> ArtifactEndpoints::manifest(net::Request request) {
    CO_TRY(
        auto text,
        co_await artifacts_.manifest(
            request.parameter("artifact_id"), principal_of(request.principal)
        )
    );
    co_return net::Response::json(std::move(text));
}

net::Task<net::Response> ArtifactEndpoints::file(net::Request request) {
    const std::string& path = request.parameter("path");
    CO_TRY(
        auto file,
        co_await artifacts_.file(
            request.parameter("artifact_id"), path, principal_of(request.principal)
        )
    );
    if (request.head->method == Method::kHead && !file.way.link.empty()) {
        co_return co_await head_of(artifacts_, file.digest);
    }
    co_return co_await answer_with(
        pool_, std::move(file), path.substr(path.rfind('/') + 1), request.head
    );
}

}  // namespace nexa::api
