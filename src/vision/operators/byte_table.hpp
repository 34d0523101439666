// SPDX-License-Identifier: Apache-2.0
// A table of 256 bytes, looked up for each byte: what any function of one value is in eight bits.
// In a portable form and in wider ones (AVX2 and AVX-512 VBMI on x86-64, NEON on ARM) that give the
// same bytes; the best is chosen when the program starts. Pure; any thread. Internal to vision/.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace andon::vision {

using ByteTable = std::array<std::uint8_t, 256>;

// `rows` rows of `bytes` each, so many bytes apart in what is read and in what is written.
struct ByteRows {
  std::size_t rows = 1;
  std::size_t bytes = 0;
  std::size_t from_stride = 0;
  std::size_t to_stride = 0;
};

struct ByteTableKernel {
  std::string_view name;
  // to = table[from]. `to` may be `from` where the strides are alike; else they do not overlap.
  void (*look_up)(const ByteTable& table, const std::uint8_t* from, std::uint8_t* to,
                  const ByteRows& rows);
};

[[nodiscard]] const ByteTableKernel& portable_byte_table();
// The widest that this processor has.
[[nodiscard]] const ByteTableKernel& best_byte_table();
// All that this processor can run, the portable one first.
[[nodiscard]] std::vector<const ByteTableKernel*> usable_byte_tables();

// Those of one architecture, each in its own file; null where this is not it, or where the
// processor lacks them.
[[nodiscard]] const ByteTableKernel* avx2_byte_table();
[[nodiscard]] const ByteTableKernel* avx512_byte_table();
[[nodiscard]] const ByteTableKernel* neon_byte_table();

}  // namespace andon::vision
