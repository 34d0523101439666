// SPDX-License-Identifier: Apache-2.0
// Numbers mixed to one that has all of their differences in each bit. Internal to the journal.
#pragma once

#include <algorithm>
#include <cstdint>

namespace andon::inspect {

// The finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
// generators", 2014).
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

// Never 0.
[[nodiscard]] constexpr std::uint32_t short_mix(std::uint64_t first, std::uint64_t second) {
  return std::max(static_cast<std::uint32_t>(mix(mix(first) ^ second) >> 32U), std::uint32_t{1});
}

}  // namespace andon::inspect
