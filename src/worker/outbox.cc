// SPDX-License-Identifier: Apache-2.0
#include "worker/outbox.h"

#include <algorithm>
#include <system_error>

#include "core/file.h"
#include "core/json.h"

namespace nexa::worker {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kResultBytesMax = std::uint64_t{64} << 20U;

}  // namespace

Status Outbox::keep(const std::string& lease, const protocol::Envelope& result) const {
    constexpr unsigned kOwnerOnly = 0600;
    return write_file_atomically(path_of(lease), to_json(result), kOwnerOnly);
}

Result<protocol::Envelope> Outbox::load(const std::string& lease) const {
    TRY(const std::string text, read_file(path_of(lease), kResultBytesMax));
    return from_json<protocol::Envelope>(text);
}

void Outbox::drop(const std::string& lease) const {
    std::error_code
        ignored;  // one that stays is answered "lease lost" the next time, and dropped then
    fs::remove(path_of(lease), ignored);
}

Result<std::vector<std::string>> Outbox::list() const {
    std::vector<std::string> leases;
    std::error_code failed;
    for (fs::directory_iterator entry(folder_, failed);
         !failed && entry != fs::directory_iterator();
         entry.increment(failed)) {
        const fs::path& path = entry->path();
        if (path.extension() == ".json" && !path.filename().native().starts_with('.')) {
            leases.push_back(path.stem().native());
        }
    }
    if (failed) {
        return Error::unavailable("cannot list {}: {}", folder_.native(), failed.message());
    }
    std::ranges::sort(leases);
    return leases;
}

Verdict verdict_of(const protocol::CompleteOutcome& outcome) {
    constexpr int kTooLate = 409;
    constexpr int kTooMany = 429;
    constexpr int kRequestTimeout = 408;
    constexpr int kServerErrors = 500;
    constexpr int kRedirects = 300;
    if (outcome.status >= kServerErrors || outcome.status == kTooMany ||
        outcome.status == kRequestTimeout) {
        return Verdict::kTryAgain;
    }
    if (outcome.status == kTooLate) {
        return Verdict::kLeaseLost;
    }
    return outcome.status < kRedirects ? Verdict::kAccepted : Verdict::kRefused;
}

}  // namespace nexa::worker
