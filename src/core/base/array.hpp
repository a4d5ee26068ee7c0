// Large flat buffers: 64-byte aligned for the widest vector registers, on huge pages where the system grants them.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace mf {

/// a·b, or std::bad_array_new_length if the product does not fit.
inline std::size_t checked_multiply(std::size_t a, std::size_t b) {
    std::size_t product;
    if (__builtin_mul_overflow(a, b, &product)) throw std::bad_array_new_length();
    return product;
}

/// Owns n objects of a trivial type. Initialised only on request: the hot paths write every element before they read
/// it, from the thread that will use it.
template <class T>
class Array {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

  public:
    Array() = default;
    explicit Array(std::size_t size) : size_(size) {
        if (size == 0) return;
        std::size_t bytes = checked_multiply(size, sizeof(T));
        // For arrays of many megabytes, page faults of 4 kB each had a measurable cost.
        constexpr std::size_t kHugePage = std::size_t{2} << 20;
        const std::size_t alignment = bytes >= 2 * kHugePage ? kHugePage : 64;
        if (bytes > std::numeric_limits<std::size_t>::max() - alignment) throw std::bad_array_new_length();
        bytes = (bytes + alignment - 1) / alignment * alignment;
        data_ = static_cast<T*>(std::aligned_alloc(alignment, bytes));
        if (data_ == nullptr) throw std::bad_alloc();
        if (alignment == kHugePage) madvise(data_, bytes, MADV_HUGEPAGE);
    }
    Array(std::size_t size, T value) : Array(size) {
        for (std::size_t i = 0; i < size; ++i) data_[i] = value;
    }
    Array(Array&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Array& operator=(Array&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Array() { std::free(data_); }

    T* data() { return data_; }
    const T* data() const { return data_; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T& operator[](std::size_t i) { return data_[i]; }
    const T& operator[](std::size_t i) const { return data_[i]; }
    T* begin() { return data_; }
    T* end() { return data_ + size_; }
    const T* begin() const { return data_; }
    const T* end() const { return data_ + size_; }
    operator std::span<T>() { return {data_, size_}; }
    operator std::span<const T>() const { return {data_, size_}; }

  private:
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

template <class T>
Array<T> copy_of(std::span<const T> values) {
    Array<T> copy(values.size());
    if (!values.empty()) std::memcpy(copy.data(), values.data(), values.size_bytes());
    return copy;
}
template <class T>
Array<T> copy_of(const Array<T>& array) {
    return copy_of(std::span<const T>(array));
}

}  // namespace mf
