// SPDX-License-Identifier: Apache-2.0
#include "core/process_table.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string>

#include "core/file.h"

namespace nexa {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kProcFileBytesMax = 1 << 20;
constexpr std::size_t kTreeProcessesMax = 100'000;

template <class T>
std::optional<T> to_number(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
        if (end > 0) {
            words.push_back(text.substr(0, end));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

std::optional<ProcessEntry> read_process(pid_t pid) {
    const auto line = read_file(fmt::format("/proc/{}/stat", pid), kProcFileBytesMax);
    if (!line) {
        return std::nullopt;
    }
    const auto entry = parse_process_stat(*line);
    return entry ? std::optional(*entry) : std::nullopt;
}

/// The numeric names in a folder of /proc.
std::vector<pid_t> numbers_in(const fs::path& folder, std::error_code& error) {
    std::vector<pid_t> numbers;
    for (auto entry = fs::directory_iterator(folder, error);
         !error && entry != fs::directory_iterator();
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (const auto number = to_number<pid_t>(name)) {
            numbers.push_back(*number);
        }
    }
    return numbers;
}

/// The children of all threads of `pid`; nothing if the kernel does not list them.
std::optional<std::vector<pid_t>> children_of(pid_t pid) {
    const fs::path tasks = fmt::format("/proc/{}/task", pid);
    std::error_code error;
    std::vector<pid_t> children;
    for (const pid_t thread : numbers_in(tasks, error)) {
        const fs::path list = tasks / std::to_string(thread) / "children";
        const auto text = read_file(list, kProcFileBytesMax);
        if (!text) {
            // A thread that ended is no reason to distrust the lists of the others.
            if (fs::exists(tasks / std::to_string(thread), error)) {
                return std::nullopt;
            }
            continue;
        }
        for (const std::string_view word : split(*text)) {
            if (const auto child = to_number<pid_t>(word)) {
                children.push_back(*child);
            }
        }
    }
    return children;
}

std::vector<ProcessEntry> tree_in(const std::vector<ProcessEntry>& table, pid_t root) {
    std::vector<ProcessEntry> tree;
    for (const ProcessEntry& entry : table) {
        if (entry.pid == root) {
            tree.push_back(entry);
        }
    }
    for (std::size_t i = 0; i < tree.size() && tree.size() < kTreeProcessesMax; ++i) {
        for (const ProcessEntry& entry : table) {
            if (entry.parent == tree[i].pid && entry.pid != root) {
                tree.push_back(entry);
            }
        }
    }
    return tree;
}

}  // namespace

Result<ProcessEntry> parse_process_stat(std::string_view line) {
    // The name in parentheses may hold spaces and parentheses: the last one closes it.
    const std::size_t open = line.find('(');
    const std::size_t close = line.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || open < 1 ||
        close < open) {
        return Error::malformed("process line has no name in parentheses");
    }
    // Behind the name: state, ppid, pgrp, session, …; field n of proc(5) is words[n - 3].
    const auto words = split(line.substr(close + 1));
    if (words.size() < 22) {
        return Error::malformed("process line has {} fields, not 22 or more", words.size());
    }
    const auto pid = to_number<pid_t>(line.substr(0, open - 1));
    const auto parent = to_number<pid_t>(words[1]);
    const auto session = to_number<pid_t>(words[3]);
    const auto threads = to_number<std::uint64_t>(words[17]);
    const auto start = to_number<std::uint64_t>(words[19]);
    const auto pages = to_number<std::int64_t>(words[21]);
    if (!pid || !parent || !session || !threads || !start || !pages) {
        return Error::malformed("process line holds a field that is no number");
    }
    std::int64_t ticks = 0;
    for (const std::size_t field : {11U, 12U, 13U, 14U}) {
        const auto value = to_number<std::int64_t>(words[field]);
        if (!value) {
            return Error::malformed("process line holds a time that is no number");
        }
        ticks += *value;
    }
    static const std::int64_t ticks_per_second = sysconf(_SC_CLK_TCK);
    static const std::int64_t page_bytes = sysconf(_SC_PAGESIZE);
    return ProcessEntry{
        .pid = *pid,
        .parent = *parent,
        .session = *session,
        .dead = words[0] == "Z" || words[0] == "X",
        .threads = *threads,
        .started_at_ticks = *start,
        .cpu = std::chrono::milliseconds(ticks * 1000 / ticks_per_second),
        .resident_bytes =
            static_cast<std::uint64_t>(std::max<std::int64_t>(*pages, 0) * page_bytes),
    };
}

Result<std::vector<ProcessEntry>> read_process_table() {
    std::error_code error;
    std::vector<ProcessEntry> table;
    for (const pid_t pid : numbers_in("/proc", error)) {
        if (const auto entry = read_process(pid)) {
            table.push_back(*entry);
        }
    }
    if (table.empty()) {
        return Error::unavailable("cannot list processes: /proc is not mounted");
    }
    return table;
}

Result<std::vector<ProcessEntry>> read_process_tree(pid_t root) {
    std::vector<ProcessEntry> tree;
    if (const auto entry = read_process(root)) {
        tree.push_back(*entry);
    }
    for (std::size_t i = 0; i < tree.size() && tree.size() < kTreeProcessesMax; ++i) {
        const auto children = children_of(tree[i].pid);
        if (!children) {
            TRY(const auto table, read_process_table());
            return tree_in(table, root);
        }
        for (const pid_t child : *children) {
            if (const auto entry = read_process(child)) {
                tree.push_back(*entry);
            }
        }
    }
    return tree;
}

bool signal_process(const ProcessEntry& entry, int signal) {
    const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, entry.pid, 0)));
    if (!process) {
        return false;
    }
    // Looked at after the descriptor is open: from here on it names one process, the right one.
    const auto now = read_process(entry.pid);
    if (!now || now->started_at_ticks != entry.started_at_ticks) {
        return false;
    }
    return syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) == 0;
}

}  // namespace nexa
