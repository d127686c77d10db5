// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>

#include "core/result.h"
#include "core/strong.h"

namespace nexa::storage {

/// Counts the bytes that a store holds against its quota, and looks at what the disk has left.
/// Within one process the quota is exact; the reserve is as exact as the file system's numbers.
/// Thread-safe.
class SpaceAccount {
public:
    SpaceAccount(std::filesystem::path root, std::optional<Bytes> quota, Bytes reserve)
        : root_(std::move(root)), quota_(quota), reserve_(reserve) {}

    /// Counts `size` more bytes, which are about to be written.
    /// Errors: kResourceExhausted (over the quota), kUnavailable (disk full). Then nothing is
    /// counted.
    Status take(Bytes size);
    /// Whether take() would succeed, for refusing a large upload at its start.
    Status check(Bytes size) const;
    void give_back(Bytes size) { used_ -= size.value(); }

    /// What is there when the store is opened. Before any other call.
    void start_with(Bytes used) { used_ = used.value(); }
    bool has_quota() const { return quota_.has_value(); }
    Bytes used() const { return Bytes(used_); }

private:
    Status check_disk(Bytes size) const;
    Status check_quota(std::int64_t used, Bytes size) const;

    std::filesystem::path root_;
    std::optional<Bytes> quota_;
    Bytes reserve_;
    std::atomic<std::int64_t> used_ = 0;
};

/// The bytes that one writer has taken: given back unless it keeps them.
class Taken {
public:
    explicit Taken(SpaceAccount& account) : account_(account) {}
    ~Taken() { account_.give_back(size_); }
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;

    Status more(Bytes size) {
        Status taken = account_.take(size);
        if (taken) {
            size_ += size;
        }
        return taken;
    }
    void keep() { size_ = Bytes(0); }

private:
    SpaceAccount& account_;
    Bytes size_;
};

}  // namespace nexa::storage
