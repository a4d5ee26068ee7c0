// Rows (user_id, item_id, rating) in the two forms that COPY reads, with ids of four types.
#pragma once

#include <bit>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/hash.hpp"
#include "core/data/ids.hpp"

namespace mf::bench {

/// int: the index + 1. bigint: spread over 63 bits. uuid: spread over 128 bits, no version in it. text: user-1, item-1.
enum class IdType { Int, Bigint, Uuid, Text };

/// Csv has a header line. Binary is that of COPY, with the column types of IdType and real.
enum class CopyFormat { Csv, Binary };

enum class Side { User, Item };

class CopyEncoder {
  public:
    CopyEncoder(IdType ids, CopyFormat format) : ids_(ids), format_(format) {}

    void begin(std::string& out) const {
        if (format_ == CopyFormat::Csv)
            out += "user_id,item_id,rating\n";
        else
            out.append("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19);  // signature, no flags, no extension
    }

    /// value is a multiple of a half from 0 to 9.5.
    void row(std::string& out, std::uint32_t user, std::uint32_t item, float value) const {
        if (format_ == CopyFormat::Csv) {
            append_id(out, Side::User, user);
            out += ',';
            append_id(out, Side::Item, item);
            const int halves = static_cast<int>(value * 2);
            out += ',';
            out += static_cast<char>('0' + halves / 2);
            out += halves % 2 != 0 ? ".5\n" : "\n";
            return;
        }
        append_big_endian(out, 3, 2);
        append_id(out, Side::User, user);
        append_id(out, Side::Item, item);
        append_big_endian(out, 4, 4);
        append_big_endian(out, std::bit_cast<std::uint32_t>(value), 4);
    }

    void end(std::string& out) const {
        if (format_ == CopyFormat::Binary) append_big_endian(out, 0xffff, 2);
    }

  private:
    static void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
        for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
    }

    // Binary fields begin with their length.
    void append_id(std::string& out, Side side, std::uint32_t index) const {
        const std::uint64_t number = std::uint64_t{index} + 1;
        switch (ids_) {
            case IdType::Int:
                append_integer(out, number, 4);
                break;
            case IdType::Bigint:
                // Times an odd number modulo 2^63: a bijection.
                append_integer(out, number * 0x9e3779b97f4a7c15u & 0x7fffffffffffffffu, 8);
                break;
            case IdType::Uuid: {
                std::string bytes;
                const std::uint64_t high = mix64(number + (side == Side::Item ? std::uint64_t{1} << 32 : 0));
                append_big_endian(bytes, high, 8);
                append_big_endian(bytes, mix64(high), 8);
                append_bytes(out, format_ == CopyFormat::Csv ? uuid_text(bytes) : bytes);
                break;
            }
            case IdType::Text: {
                std::string text = side == Side::User ? "user-" : "item-";
                append_digits(text, number);
                append_bytes(out, text);
                break;
            }
        }
    }

    void append_integer(std::string& out, std::uint64_t value, int bytes) const {
        if (format_ == CopyFormat::Csv) return append_digits(out, value);
        append_big_endian(out, static_cast<std::uint64_t>(bytes), 4);
        append_big_endian(out, value, bytes);
    }

    void append_bytes(std::string& out, std::string_view bytes) const {
        if (format_ == CopyFormat::Binary) append_big_endian(out, bytes.size(), 4);
        out += bytes;
    }

    static void append_digits(std::string& out, std::uint64_t value) {
        char digits[20];
        out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    }

    IdType ids_;
    CopyFormat format_;
};

}  // namespace mf::bench
