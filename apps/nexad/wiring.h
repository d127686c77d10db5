// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "core/secrets.h"
#include "settings.h"

namespace nexa::nexad {

/// The control plane of one process: every module made once and joined, in the order in which they
/// need each other.
class Server {
public:
    /// Opens or makes everything in settings.dir, without listening yet. Blocks.
    /// `secrets`: where the credentials of a bucket are; commands that start workers get the same
    /// environment. Errors: a folder, database, key or bucket
    /// that cannot be used; kNotFound (rate card, credentials).
    static Result<std::unique_ptr<Server>> open(
        const Settings& settings, SecretSources secrets, const Clock& clock, Random& random
    );
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Makes the owner's key at first start, then listens. Errors: kUnavailable (address in use).
    Status start();
    std::uint16_t port() const;
    std::string openapi() const;
    /// What is answered, a line each: "GET /api/jobs".
    std::string route_list() const;
    /// Ends what runs, within a few seconds, and closes the database. Repeatable.
    void stop();

private:
    class Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace nexa::nexad
