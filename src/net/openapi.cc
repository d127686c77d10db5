// SPDX-License-Identifier: Apache-2.0
#include "net/openapi.h"

#include <algorithm>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/json.h"

namespace nexa::net {

namespace {

using Json = nlohmann::ordered_json;

Json parse_ours(const std::string& text) {
    Json json = Json::parse(text, nullptr, false);
    NEXA_CHECK(!json.is_discarded());
    return json;
}

Json reference(std::string_view schema) {
    return Json{{"$ref", fmt::format("#/components/schemas/{}", schema)}};
}

Json schema_of(const BodyType& type) {
    if (type.type != nullptr && type.type->kind == TypeKind::kArray) {
        const TypeInfo& element = *type.type->element();
        return Json{{"type", "array"}, {"items", reference(element.structure()->name)}};
    }
    if (type.type != nullptr) {
        return reference(type.type->structure()->name);
    }
    return reference(type.name);
}

Json content_of(const BodyType& type) {
    Json content;
    content[type.content_type]["schema"] = schema_of(type);
    return content;
}

std::string lower_name(Method method) {
    std::string name(to_string(method));
    std::ranges::transform(name, name.begin(), [](char c) {
        return static_cast<char>(c - 'A' + 'a');
    });
    return name;
}

/// "{path...}" is "{path}" there; OpenAPI has no word for a tail.
std::string path_of(const Route& route) {
    std::string path = route.path;
    const std::size_t dots = path.find("...}");
    if (dots != std::string::npos) {
        path.erase(dots, 3);
    }
    return path;
}

Json parameters_of(const Route& route) {
    Json parameters = Json::array();
    const std::string path = path_of(route);
    for (std::size_t open = path.find('{'); open != std::string::npos;
         open = path.find('{', open + 1)) {
        const std::size_t close = path.find('}', open);
        parameters.push_back({
            {"name", path.substr(open + 1, close - open - 1)},
            {"in", "path"},
            {"required", true},
            {"schema", {{"type", "string"}}},
        });
    }
    for (const ParameterInfo& parameter : route.parameters) {
        parameters.push_back({
            {"name", parameter.name},
            {"in", parameter.in_header ? "header" : "query"},
            {"required", parameter.required},
            {"description", parameter.description},
            {"schema", parse_ours(parameter.schema)},
        });
    }
    return parameters;
}

struct ErrorForm {
    std::string_view schema;
    std::string_view content_type;
};

ErrorForm error_form(Dialect dialect) {
    switch (dialect) {
        case Dialect::kApi:
            return {.schema = "Problem", .content_type = "application/problem+json"};
        case Dialect::kOpenai:
            return {.schema = "OpenAIError", .content_type = "application/json"};
        case Dialect::kV2:
            return {.schema = "V2Error", .content_type = "application/json"};
        case Dialect::kPlain:
            break;
    }
    return {.schema = "", .content_type = "text/plain"};
}

Json error_response(Dialect dialect, std::string_view description) {
    const ErrorForm form = error_form(dialect);
    Json schema = form.schema.empty() ? Json{{"type", "string"}} : reference(form.schema);
    Json response;
    response["description"] = description;
    response["content"][std::string(form.content_type)]["schema"] = std::move(schema);
    return response;
}

Json responses_of(const Route& route) {
    Json responses;
    Json& success = responses[std::to_string(route.success_status)];
    success["description"] = reason_phrase(route.success_status);
    if (!route.response.name.empty()) {
        success["content"] = content_of(route.response);
    }
    const auto add = [&](int status) {
        responses[std::to_string(status)] = error_response(route.dialect, reason_phrase(status));
    };
    if (route.auth != Auth::kPublic) {
        add(route.dialect == Dialect::kApi ? 403 : 401);
    }
    if (route.path.find('{') != std::string::npos) {
        add(404);
    }
    if (route.body_bytes_max > 0) {
        add(400);
        add(413);
        add(422);
    }
    add(429);
    responses["default"] = error_response(route.dialect, "Any other error");
    return responses;
}

Json security_of(const Route& route) {
    if (route.auth == Auth::kPublic) {
        return Json::array();
    }
    Json scopes = Json::array();
    if (!route.scope.empty()) {
        scopes.push_back(route.scope);
    }
    Json requirement;
    requirement[route.auth == Auth::kWorker ? "worker_key" : "api_key"] = std::move(scopes);
    return Json::array({std::move(requirement)});
}

Json operation_of(const Route& route) {
    Json operation;
    operation["operationId"] = route.operation_id;
    if (!route.summary.empty()) {
        operation["summary"] = route.summary;
    }
    if (!route.tag.empty()) {
        operation["tags"] = Json::array({route.tag});
    }
    Json parameters = parameters_of(route);
    if (!parameters.empty()) {
        operation["parameters"] = std::move(parameters);
    }
    if (!route.request.name.empty()) {
        operation["requestBody"]["required"] = true;
        operation["requestBody"]["content"] = content_of(route.request);
    }
    operation["responses"] = responses_of(route);
    operation["security"] = security_of(route);
    return operation;
}

/// The schemas of the three error dialects.
void add_error_schemas(std::map<std::string, Json>& schemas) {
    schemas["Problem"] = parse_ours(R"({"type":"object",
        "required":["type","title","status","detail","instance","code","request_id","retryable"],
        "properties":{"type":{"type":"string"},"title":{"type":"string"},
        "status":{"type":"integer"},"detail":{"type":"string"},"instance":{"type":"string"},
        "code":{"type":"string"},"param":{"type":["string","null"]},
        "request_id":{"type":"string"},"hint":{"type":["string","null"]},
        "retryable":{"type":"boolean"}}})");
    schemas["OpenAIError"] = parse_ours(R"({"type":"object","required":["error"],
        "properties":{"error":{"type":"object","required":["message","type","param","code"],
        "properties":{"message":{"type":"string"},"type":{"type":"string"},
        "param":{"type":["string","null"]},"code":{"type":["string","null"]}}}}})");
    schemas["V2Error"] = parse_ours(R"({"type":"object","required":["error"],
        "properties":{"error":{"type":"string"}}})");
}

void add_schema(const BodyType& type, std::map<std::string, Json>& schemas) {
    if (type.name.empty()) {
        return;
    }
    if (type.type == nullptr) {
        schemas[type.name] = type.schema ? parse_ours(type.schema()) : Json(true);
        return;
    }
    const bool is_array = type.type->kind == TypeKind::kArray;
    const TypeInfo* const structure = is_array ? type.type->element() : type.type;
    const Json all = parse_ours(openapi_schemas(std::span(&structure, 1)));
    for (const auto& [name, schema] : all.items()) {
        schemas[name] = schema;
    }
}

Json security_schemes() {
    const Json bearer{{"type", "http"}, {"scheme", "bearer"}};
    Json schemes;
    schemes["api_key"] = bearer;
    schemes["api_key"]["description"] = "A user's API key, prefix nexa_ or nexa_rk_";
    schemes["worker_key"] = bearer;
    schemes["worker_key"]["description"] = "A worker's key, prefix nexa_wk_";
    return schemes;
}

}  // namespace

std::string openapi_document(const OpenApiInfo& info, std::span<const Route> routes) {
    std::map<std::string, Json> paths;
    std::map<std::string, Json> schemas;
    std::set<std::string> tags;
    std::set<std::string> operations;
    add_error_schemas(schemas);
    for (const Route& route : routes) {
        if (!route.documented) {
            continue;
        }
        NEXA_CHECK(!route.operation_id.empty());
        NEXA_CHECK(operations.insert(route.operation_id).second);
        paths[path_of(route)][lower_name(route.method)] = operation_of(route);
        add_schema(route.request, schemas);
        add_schema(route.response, schemas);
        if (!route.tag.empty()) {
            tags.insert(route.tag);
        }
    }
    Json document;
    document["openapi"] = "3.1.0";
    document["info"] = {{"title", info.title}, {"version", info.version}};
    if (!info.description.empty()) {
        document["info"]["description"] = info.description;
    }
    document["tags"] = Json::array();
    for (const std::string& tag : tags) {
        document["tags"].push_back({{"name", tag}});
    }
    document["paths"] = paths;
    document["components"]["schemas"] = schemas;
    document["components"]["securitySchemes"] = security_schemes();
    return document.dump(2) + "\n";
}

}  // namespace nexa::net
