// SPDX-License-Identifier: Apache-2.0
// Numbers out of bytes that come from outside: every read is checked. Internal to vision/.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/error/error.hpp"

namespace andon::vision {

// Throws data_corrupted where the bytes end too early; `what` names them.
class ByteReader {
 public:
  enum class Order { little, big };

  ByteReader(std::string_view bytes, Order order, std::string what)
      : bytes_(bytes), order_(order), what_(std::move(what)) {}

  [[nodiscard]] std::string_view bytes(std::size_t at, std::size_t count) const {
    if (at > bytes_.size() || count > bytes_.size() - at) {
      throw base::Error(base::ErrorCode::data_corrupted,
                        fmt::format("cannot read {}: it ends after {} bytes, {} more are needed",
                                    what_, bytes_.size(), at + count - bytes_.size()));
    }
    return bytes_.substr(at, count);
  }
  [[nodiscard]] std::uint8_t u8(std::size_t at) const {
    return static_cast<std::uint8_t>(number(at, 1));
  }
  [[nodiscard]] std::uint16_t u16(std::size_t at) const {
    return static_cast<std::uint16_t>(number(at, 2));
  }
  [[nodiscard]] std::uint32_t u32(std::size_t at) const { return number(at, 4); }
  [[nodiscard]] std::uint64_t u64(std::size_t at) const {
    const std::uint64_t first = u32(at);
    const std::uint64_t second = u32(at + 4);
    return order_ == Order::big ? first << 32U | second : second << 32U | first;
  }
  [[nodiscard]] std::int32_t i32(std::size_t at) const {
    return static_cast<std::int32_t>(number(at, 4));
  }

 private:
  [[nodiscard]] std::uint32_t number(std::size_t at, std::size_t length) const {
    const std::string_view text = bytes(at, length);
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < length; ++i) {
      const std::size_t place = order_ == Order::big ? i : length - 1 - i;
      value = (value << 8U) | static_cast<std::uint8_t>(text[place]);
    }
    return value;
  }

  std::string_view bytes_;
  Order order_;
  std::string what_;
};

}  // namespace andon::vision
