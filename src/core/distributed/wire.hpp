// Plain values and arrays as bytes, for what engines keep in tables and send between servers. Little-endian, as all
// processors are that PostgreSQL's float arrays are used on; a reader trusts no length.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/base/array.hpp"
#include "core/base/error.hpp"

namespace mf {

static_assert(std::endian::native == std::endian::little);

/// Bytes under construction. Arrays begin at multiples of 8.
class WireWriter {
  public:
    template <class T>
    void value(const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
    }

    /// The elements alone; their number is to be known.
    template <class T>
    void array(std::span<const T> values) {
        static_assert(std::is_trivially_copyable_v<T>);
        align();
        bytes_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    }

    /// More elements of the array that was written last.
    template <class T>
    void more(std::span<const T> values) {
        bytes_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    }

    void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
    std::string take() { return std::move(bytes_); }

  private:
    void align() { bytes_.append((8 - bytes_.size() % 8) % 8, '\0'); }

    std::string bytes_;
};

/// Reads what a WireWriter wrote. Throws InvalidData where the bytes end early.
class WireReader {
  public:
    explicit WireReader(std::string_view bytes) : bytes_(bytes) {}

    template <class T>
    T value() {
        static_assert(std::is_trivially_copyable_v<T>);
        T result;
        std::memcpy(&result, next(sizeof(T)), sizeof(T));
        return result;
    }

    template <class T>
    Array<T> array(std::size_t size) {
        const std::string_view bytes = raw<T>(size);
        Array<T> result(size);
        if (size > 0) std::memcpy(result.data(), bytes.data(), bytes.size());
        return result;
    }

    /// The elements where they are: the bytes begin at a multiple of alignof(T), at most 4.
    template <class T>
    std::span<const T> in_place(std::size_t size) {
        static_assert(alignof(T) <= 4);
        return {reinterpret_cast<const T*>(raw<T>(size).data()), size};
    }

    /// The bytes of an array, to be copied out.
    template <class T>
    std::string_view raw(std::size_t size) {
        const std::size_t padding = (8 - position_ % 8) % 8;
        if (padding > bytes_.size() - position_) throw_short();
        position_ += padding;
        std::size_t bytes;
        if (__builtin_mul_overflow(size, sizeof(T), &bytes)) throw_short();
        return {next(bytes), bytes};
    }

    /// Throws InvalidData unless everything was read.
    void finish() const {
        if (position_ != bytes_.size()) throw InvalidData("a block of a training run has bytes behind its end");
    }

  private:
    [[noreturn]] static void throw_short() { throw InvalidData("a block of a training run ends too early"); }

    const char* next(std::size_t size) {
        if (size > bytes_.size() - position_) throw_short();
        const char* result = bytes_.data() + position_;
        position_ += size;
        return result;
    }

    std::string_view bytes_;
    std::size_t position_ = 0;
};

}  // namespace mf
