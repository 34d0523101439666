// SPDX-License-Identifier: Apache-2.0
#include "base/text/id.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstdint>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"

namespace andon::base {

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t filled = 0;
  while (filled < count) {
    const ssize_t got = getrandom(bytes.data() + filled, count - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error("cannot read the kernel's random source", errno);
    filled += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::string random_uuid() {
  std::string bytes = random_bytes(16);
  const auto set_bits = [&](std::size_t at, unsigned keep, unsigned set) {
    bytes[at] = static_cast<char>((static_cast<std::uint8_t>(bytes[at]) & keep) | set);
  };
  set_bits(6, 0x0FU, 0x40U);
  set_bits(8, 0x3FU, 0x80U);
  std::string text = to_hex(as_bytes(bytes));
  for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, 1, '-');
  return text;
}

std::string random_text(std::size_t length, std::string_view alphabet) {
  const std::size_t fair_limit = 256 - 256 % alphabet.size();
  std::string text;
  text.reserve(length);
  while (text.size() < length) {
    for (const char c : random_bytes(length - text.size())) {
      const auto byte = static_cast<std::uint8_t>(c);
      if (byte < fair_limit) text += alphabet[byte % alphabet.size()];
    }
  }
  return text;
}

}  // namespace andon::base
