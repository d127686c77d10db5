// SPDX-License-Identifier: Apache-2.0
#include "crypto/wiped_bytes_internal.h"

#include <algorithm>
#include <utility>

#include <openssl/crypto.h>

namespace nexa::crypto {

WipedBytes::WipedBytes(std::size_t size)
    : data_(std::make_unique<std::byte[]>(size)), size_(size) {}

WipedBytes::WipedBytes(std::string_view bytes) : WipedBytes(bytes.size()) {
    std::ranges::copy(std::as_bytes(std::span(bytes)), data_.get());
}

WipedBytes::~WipedBytes() {
    wipe();
}

WipedBytes::WipedBytes(WipedBytes&& other) noexcept
    : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}

WipedBytes& WipedBytes::operator=(WipedBytes&& other) noexcept {
    if (this != &other) {
        wipe();
        data_ = std::move(other.data_);
        size_ = std::exchange(other.size_, 0);
    }
    return *this;
}

void WipedBytes::wipe() {
    if (data_ != nullptr) {
        OPENSSL_cleanse(data_.get(), size_);
    }
}

}  // namespace nexa::crypto
