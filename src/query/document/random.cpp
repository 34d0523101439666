// SPDX-License-Identifier: Apache-2.0
#include "query/document/random.hpp"

#include "base/text/encoding.hpp"

namespace andon::query {

// SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t Random::next() {
  state_ += 0x9E37'79B9'7F4A'7C15U;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30U)) * 0xBF58'476D'1CE4'E5B9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94D0'49BB'1331'11EBU;
  return mixed ^ (mixed >> 31U);
}

double Random::uniform() {
  constexpr double kScale = 1.0 / 9007199254740992.0;  // 2^53
  return static_cast<double>(next() >> 11U) * kScale;
}

std::string Random::uuid() {
  std::string bytes;
  for (int half = 0; half < 2; ++half) {
    std::uint64_t word = next();
    for (int i = 0; i < 8; ++i, word >>= 8U) bytes += static_cast<char>(word & 0xFFU);
  }
  const auto set = [&bytes](std::size_t at, unsigned keep, unsigned bits) {
    bytes[at] = static_cast<char>((static_cast<unsigned char>(bytes[at]) & keep) | bits);
  };
  set(6, 0x0FU, 0x40U);
  set(8, 0x3FU, 0x80U);
  std::string text = base::to_hex(base::as_bytes(bytes));
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) text.insert(dash, 1, '-');
  return text;
}

std::string Random::token() {
  std::string bytes;
  for (int part = 0; part < 4; ++part) {
    std::uint64_t word = next();
    for (int i = 0; i < 8; ++i, word >>= 8U) bytes += static_cast<char>(word & 0xFFU);
  }
  return base::to_base64url(bytes);
}

}  // namespace andon::query
