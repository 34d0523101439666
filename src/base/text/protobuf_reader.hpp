// SPDX-License-Identifier: Apache-2.0
// Protobuf's wire format (https://protobuf.dev/programming-guides/encoding), read as far as devices
// need it: field by field, over memory that belongs to somebody else. Of anything that is damaged
// it gives no further field. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace andon::base {

class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view message) : rest_(message) {}

  // The next field; false at the end, and where it is damaged: whoever runs it says so.
  [[nodiscard]] bool next() {
    const auto key = varint();
    if (!key) return false;
    field_ = *key >> 3U;
    bytes_ = {};
    number_ = 0;
    switch (*key & 7U) {
      case 0:
        return take_number();
      case 1:
        return skip(sizeof(std::uint64_t));
      case 2:
        return take_bytes();
      case 5:
        return skip(sizeof(std::uint32_t));
      default:
        return false;
    }
  }
  [[nodiscard]] std::uint64_t field() const { return field_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

  // What has not been read yet.
  [[nodiscard]] std::string_view rest() const { return rest_; }

  [[nodiscard]] std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80U) return value;
    }
    return std::nullopt;
  }

 private:
  bool take_number() {
    const auto value = varint();
    number_ = value.value_or(0);
    return value.has_value();
  }
  bool take_bytes() {
    const auto size = varint();
    if (!size || *size > rest_.size()) return false;
    bytes_ = rest_.substr(0, *size);
    rest_.remove_prefix(*size);
    return true;
  }
  bool skip(std::size_t count) {
    if (count > rest_.size()) return false;
    rest_.remove_prefix(count);
    return true;
  }

  std::string_view rest_;
  std::uint64_t field_ = 0;
  std::uint64_t number_ = 0;
  std::string_view bytes_;
};

}  // namespace andon::base
