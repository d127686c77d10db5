// SPDX-License-Identifier: Apache-2.0
#include "net/router.h"

#include <algorithm>
#include <map>

#include "core/check.h"

namespace nexa::net {

namespace {

constexpr std::size_t kSegmentsMax = 64;

std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> segments;
    path.remove_prefix(1);
    for (;;) {
        const std::size_t slash = path.find('/');
        segments.push_back(path.substr(0, slash));
        if (slash == std::string_view::npos) {
            return segments;
        }
        path.remove_prefix(slash + 1);
    }
}

bool is_template(std::string_view segment) {
    return segment.starts_with('{');
}

bool is_tail(std::string_view segment) {
    return segment.ends_with("...}");
}

std::string_view name_of(std::string_view segment) {
    const std::size_t behind = is_tail(segment) ? 4 : 1;
    return segment.substr(1, segment.size() - 1 - behind);
}

void check_segment(std::string_view segment, bool is_last) {
    if (!is_template(segment)) {
        NEXA_CHECK(segment.find_first_of("{}%?#") == std::string_view::npos);
        return;
    }
    NEXA_CHECK(segment.ends_with('}'));
    NEXA_CHECK(!is_tail(segment) || is_last);
    const std::string_view name = name_of(segment);
    NEXA_CHECK(!name.empty());
    NEXA_CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") == name.npos);
}

/// A tail becomes a file's path further on: nothing in it may climb or hide a slash.
bool is_safe_tail(const std::vector<std::string>& segments, std::size_t first) {
    return std::all_of(
        segments.begin() + static_cast<std::ptrdiff_t>(first),
        segments.end(),
        [](const std::string& segment) {
            return segment != "." && segment != ".." &&
                   segment.find_first_of("/\\") == std::string::npos;
        }
    );
}

}  // namespace

struct Router::Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    std::unique_ptr<Node> tail;
    std::array<const Route*, kMethodCount> rows{};
    Dialect dialect = Dialect::kApi;  ///< of the first row below
};

struct Router::Search {
    std::optional<Method> method;
    std::vector<std::string> segments;
    std::vector<std::string> values;
    std::array<bool, kMethodCount> allowed{};
    bool path_exists = false;
    const Route* found = nullptr;
    Dialect dialect = Dialect::kApi;
    std::size_t deepest = 0;

    bool take(const Node& node) {
        for (std::size_t i = 0; i < kMethodCount; ++i) {
            allowed[i] = allowed[i] || node.rows[i] != nullptr;
            path_exists = path_exists || node.rows[i] != nullptr;
        }
        if (!method) {
            return false;
        }
        found = node.rows[static_cast<std::size_t>(*method)];
        if (found == nullptr && *method == Method::kHead) {
            found = node.rows[static_cast<std::size_t>(Method::kGet)];
        }
        return found != nullptr;
    }

    bool descend(const Node& node, std::size_t depth) {
        if (depth > deepest) {
            deepest = depth;
            dialect = node.dialect;
        }
        if (depth == segments.size()) {
            return take(node);
        }
        const std::string& segment = segments[depth];
        const auto literal = node.literals.find(segment);
        if (literal != node.literals.end() && descend(*literal->second, depth + 1)) {
            return true;
        }
        if (node.parameter && !segment.empty()) {
            values.push_back(segment);
            if (descend(*node.parameter, depth + 1)) {
                return true;
            }
            values.pop_back();
        }
        return node.tail && is_safe_tail(segments, depth) && take_tail(*node.tail, depth);
    }

    bool take_tail(const Node& node, std::size_t depth) {
        std::string rest = segments[depth];
        for (std::size_t i = depth + 1; i < segments.size(); ++i) {
            rest += '/';
            rest += segments[i];
        }
        values.push_back(std::move(rest));
        if (take(node)) {
            return true;
        }
        values.pop_back();
        return false;
    }
};

Router::Router(std::vector<Route> routes)
    : routes_(std::move(routes)), root_(std::make_unique<Node>()) {
    for (const Route& route : routes_) {
        insert(route);
    }
}

Router::~Router() = default;
Router::Router(Router&&) noexcept = default;

void Router::insert(const Route& route) {
    NEXA_CHECK(route.path.starts_with('/'));
    NEXA_CHECK(route.handler != nullptr);
    NEXA_CHECK(route.auth != Auth::kPublic || route.scope.empty());
    Node* node = root_.get();
    const std::vector<std::string_view> segments = split(route.path);
    NEXA_CHECK(segments.size() <= kSegmentsMax);
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const std::string_view segment = segments[i];
        check_segment(segment, i + 1 == segments.size());
        std::unique_ptr<Node>& child = !is_template(segment) ? node->literals[std::string(segment)]
                                       : is_tail(segment)    ? node->tail
                                                             : node->parameter;
        if (!child) {
            child = std::make_unique<Node>();
            child->dialect = route.dialect;
        }
        node = child.get();
    }
    const Route*& row = node->rows[static_cast<std::size_t>(route.method)];
    NEXA_CHECK(row == nullptr);  // two rows for one method and path
    row = &route;
}

Router::Match Router::match(std::optional<Method> method, std::string_view path) const {
    Match match;
    if (!path.starts_with('/')) {
        match.outcome = Outcome::kMalformed;
        return match;
    }
    Search search;
    search.method = method;
    for (const std::string_view segment : split(path)) {
        if (search.segments.size() == kSegmentsMax) {
            return match;
        }
        Result<std::string> decoded = percent_decode(segment);
        if (!decoded) {
            match.outcome = Outcome::kMalformed;
            return match;
        }
        search.segments.push_back(std::move(*decoded));
    }
    search.descend(*root_, 0);
    match.dialect = search.dialect;
    for (std::size_t i = 0; i < kMethodCount; ++i) {
        if (search.allowed[i]) {
            match.allowed.push_back(static_cast<Method>(i));
        }
    }
    if (search.found == nullptr) {
        match.outcome = search.path_exists ? Outcome::kMethodNotAllowed : Outcome::kNotFound;
        return match;
    }
    match.outcome = Outcome::kFound;
    match.route = search.found;
    match.dialect = search.found->dialect;
    auto value = search.values.begin();
    for (const std::string_view segment : split(match.route->path)) {
        if (is_template(segment)) {
            match.parameters.emplace_back(name_of(segment), std::move(*value++));
        }
    }
    return match;
}

}  // namespace nexa::net
