// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace nexa::crypto {

/// A buffer in which key material is made or read before it becomes a Secret. Overwritten with
/// zeros when it goes. Fixed length, so that no copy is left behind by growing. Moves only.
class WipedBytes {
public:
    explicit WipedBytes(std::size_t size);
    explicit WipedBytes(std::string_view bytes);
    ~WipedBytes();
    WipedBytes(WipedBytes&& other) noexcept;
    WipedBytes& operator=(WipedBytes&& other) noexcept;

    std::span<std::byte> span() { return {data_.get(), size_}; }
    char* data() { return reinterpret_cast<char*>(data_.get()); }
    std::string_view view() const { return {reinterpret_cast<const char*>(data_.get()), size_}; }
    std::size_t size() const { return size_; }

private:
    void wipe();

    std::unique_ptr<std::byte[]> data_;
    std::size_t size_ = 0;
};

}  // namespace nexa::crypto
