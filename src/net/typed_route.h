// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "core/json.h"
#include "net/router.h"

namespace nexa::net {

/// What a typed endpoint gets beside its body.
struct Call {
    std::shared_ptr<const RequestHead> head;
    PathParameters parameters;
    Principal principal;

    const std::string& parameter(std::string_view name) const { return value_of(parameters, name); }
};

/// The body type of a border struct T, or of a vector of T.
template <class T>
BodyType body_type() {
    const TypeInfo& type = type_info<T>();
    const bool is_array = type.kind == TypeKind::kArray;
    const TypeInfo& structure = is_array ? *type.element() : type;
    return {
        .name = std::string(structure.structure()->name) + (is_array ? "List" : ""),
        .type = &type,
    };
}

namespace internal {

template <class Reply>
Response reply_of(const Result<Reply>& reply, int status) {
    if constexpr (std::is_void_v<Reply>) {
        return Response::empty(status);
    } else if constexpr (std::is_same_v<Reply, Response>) {
        return *reply;
    } else {
        return Response::json(to_json(*reply), status);
    }
}

/// Decodes the body, calls a member function, encodes what it returns. Nothing is captured by a
/// coroutine: `run` has all it needs as its parameters.
template <class Endpoints, class Reply, class... Body>
class TypedHandler {
public:
    using Member = Task<Reply> (Endpoints::*)(Call, Body...);

    TypedHandler(Endpoints& endpoints, Member member, int success_status)
        : endpoints_(&endpoints), member_(member), success_status_(success_status) {}

    Task<Response> operator()(Request request) const {
        return run(endpoints_, member_, success_status_, std::move(request));
    }

private:
    static Task<Response> run(Endpoints* endpoints, Member member, int status, Request request) {
        Call call{
            .head = std::move(request.head),
            .parameters = std::move(request.parameters),
            .principal = std::move(request.principal),
        };
        if constexpr (sizeof...(Body) == 0) {
            const Result<Reply> reply = co_await (endpoints->*member)(std::move(call));
            co_return reply ? Result<Response>(reply_of(reply, status)) : reply.error();
        } else {
            auto body = from_json<Body...>(request.body);
            if (!body) {
                co_return std::move(body).error();
            }
            const Result<Reply> reply =
                co_await (endpoints->*member)(std::move(call), std::move(*body));
            co_return reply ? Result<Response>(reply_of(reply, status)) : reply.error();
        }
    }

    Endpoints* endpoints_;
    Member member_;
    int success_status_;
};

template <class Endpoints, class Reply, class... Body>
void fill_typed(Route& row, Endpoints& endpoints, Task<Reply> (Endpoints::*member)(Call, Body...)) {
    if constexpr (std::is_void_v<Reply>) {
        row.success_status = 204;
    } else if constexpr (!std::is_same_v<Reply, Response>) {
        row.response = body_type<Reply>();
    }
    row.handler = TypedHandler<Endpoints, Reply, Body...>(endpoints, member, row.success_status);
}

}  // namespace internal

inline constexpr std::size_t kTypedBodyBytesMax = 1024 * 1024;

/// The row with handler and types filled in for a member function: decodes the body by
/// from_json<Body> (kMalformed is 400, a wrong field 422), encodes the reply by to_json; a Reply of
/// void is 204, one of Response is sent as it is. A row without a limit takes 1 MiB. `endpoints`
/// outlives the server.
///
///     typed({.method = Method::kPost, .path = "/api/jobs", .operation_id = "jobs_create",
///            .scope = "jobs:write", .success_status = 201}, jobs, &JobEndpoints::submit)
template <class Endpoints, class Reply, class Body>
Route typed(Route row, Endpoints& endpoints, Task<Reply> (Endpoints::*member)(Call, Body)) {
    row.request = body_type<Body>();
    row.body_bytes_max = row.body_bytes_max == 0 ? kTypedBodyBytesMax : row.body_bytes_max;
    internal::fill_typed(row, endpoints, member);
    return row;
}

template <class Endpoints, class Reply>
Route typed(Route row, Endpoints& endpoints, Task<Reply> (Endpoints::*member)(Call)) {
    internal::fill_typed(row, endpoints, member);
    return row;
}

}  // namespace nexa::net
