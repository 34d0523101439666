// SPDX-License-Identifier: Apache-2.0
// Protobuf's wire format, written field by field behind what is there; protobuf_reader.hpp reads
// it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace andon::base {

inline void add_protobuf_varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80U; value >>= 7U) to.push_back(static_cast<char>(value | 0x80U));
  to.push_back(static_cast<char>(value));
}

inline void add_protobuf_number(std::string& to, std::uint64_t field, std::uint64_t value) {
  add_protobuf_varint(to, field << 3U);
  add_protobuf_varint(to, value);
}

// A text, bytes, or a message as text.
inline void add_protobuf_bytes(std::string& to, std::uint64_t field, std::string_view bytes) {
  constexpr std::uint64_t kWithLength = 2;
  add_protobuf_varint(to, field << 3U | kWithLength);
  add_protobuf_varint(to, bytes.size());
  to += bytes;
}

}  // namespace andon::base
