// SPDX-License-Identifier: Apache-2.0
#include "db/postgres_error_internal.h"

#include <algorithm>

namespace nexa::db {

namespace {

/// Another transaction, or an end of the server: the same may work soon.
bool may_work_again(std::string_view state) {
    constexpr std::string_view kStates[] = {
        "40001",  // serialization failure
        "40P01",  // deadlock
        "55P03",  // a lock that did not come in time
        "57P01",  // shutdown
        "57P02",  // end after a crash
        "57P03",  // starting up
        "53300",  // too many connections
        "25P03",  // idle in the transaction for too long
        "25006",  // read-only: a standby that is being promoted
    };
    return state.empty() || state.starts_with("08") ||
           std::ranges::find(kStates, state) != std::end(kStates);
}

/// 53xxx: what the server lacks.
Error resources(std::string_view state, std::string_view message, std::string_view doing) {
    if (state == "53100") {
        return Error::unavailable("{}: disk full", doing)
            .hint("free space where the database lies");
    }
    if (state == "53300") {
        return Error::unavailable("{}: {}", doing, message)
            .hint("raise max_connections of the server");
    }
    return Error::resource_exhausted("{}: {}", doing, message);
}

Error access_refused(std::string_view message, std::string_view doing) {
    return Error::unavailable("{}: {}", doing, message)
        .hint("check the user, the password and the rights of db.url");
}

/// A value that the database cannot hold, as opposed to one that a column does not take.
bool is_bad_value(std::string_view state) {
    return state == "22021" || state.starts_with("54");
}

Error error_of(
    std::string_view state, std::string_view message, std::string_view doing, bool writing
) {
    const std::string_view kind = state.substr(0, 2);
    if (state.empty() || kind == "08" || state.starts_with("57P") || state == "25P03") {
        return Error::unavailable(
            "{}: the connection to the database was lost: {}", doing, message
        );
    }
    if (kind == "23") {
        return Error::conflict("{}: {}", doing, message);
    }
    if (kind == "40" || state == "55P03") {
        return Error::unavailable("{}: another transaction was in the way: {}", doing, message);
    }
    if (kind == "53") {
        return resources(state, message, doing);
    }
    if (kind == "28" || state == "42501" || state == "3D000") {
        return access_refused(message, doing);
    }
    if (state == "57014") {
        return Error::deadline_exceeded("{}: {}", doing, message);
    }
    if (state == "58030" || (state == "25006" && writing)) {
        return Error::unavailable("{}: {}", doing, message);
    }
    if (state == "XX001" || state == "XX002") {
        return Error::data_loss("{}: {}", doing, message)
            .hint("restore the database from a backup");
    }
    if (is_bad_value(state)) {
        return Error::invalid_argument("{}: {}", doing, message);
    }
    return Error::internal("{}: {} ({})", doing, message, state);
}

}  // namespace

PostgresFailure postgres_failure(
    std::string_view sqlstate, std::string_view message, std::string_view doing, bool writing
) {
    return {
        .error = error_of(sqlstate, message, doing, writing),
        .may_work_again = may_work_again(sqlstate) && (writing || sqlstate != "25006"),
    };
}

std::string one_line(const char* message) {
    std::string line = message == nullptr ? "" : message;
    while (!line.empty() && line.back() == '\n') {
        line.pop_back();
    }
    for (std::size_t at = 0; (at = line.find('\n', at)) != std::string::npos;) {
        line.replace(at, 1, "; ");
    }
    return line.empty() ? "no reason given" : line;
}

}  // namespace nexa::db
