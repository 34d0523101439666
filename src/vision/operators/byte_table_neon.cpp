// SPDX-License-Identifier: Apache-2.0
#include "vision/operators/byte_table.hpp"

#if defined(__aarch64__)
#include <arm_neon.h>

namespace andon::vision {
namespace {

// TBL looks up 64 entries and gives 0 beyond them; TBX leaves what was there.
void look_up(const ByteTable& table, const std::uint8_t* from, std::uint8_t* to,
             const ByteRows& rows) {
  const uint8x16x4_t first = vld1q_u8_x4(table.data());
  const uint8x16x4_t second = vld1q_u8_x4(table.data() + 64);
  const uint8x16x4_t third = vld1q_u8_x4(table.data() + 128);
  const uint8x16x4_t fourth = vld1q_u8_x4(table.data() + 192);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    std::size_t i = 0;
    for (; i + 16 <= rows.bytes; i += 16) {
      const uint8x16_t places = vld1q_u8(from + i);
      uint8x16_t found = vqtbl4q_u8(first, places);
      found = vqtbx4q_u8(found, second, vsubq_u8(places, vdupq_n_u8(64)));
      found = vqtbx4q_u8(found, third, vsubq_u8(places, vdupq_n_u8(128)));
      found = vqtbx4q_u8(found, fourth, vsubq_u8(places, vdupq_n_u8(192)));
      vst1q_u8(to + i, found);
    }
    for (; i < rows.bytes; ++i) to[i] = table[from[i]];
    from += rows.from_stride;
    to += rows.to_stride;
  }
}

}  // namespace

const ByteTableKernel* neon_byte_table() {
  // Every 64-bit ARM has NEON.
  static constexpr ByteTableKernel kKernel{"NEON", look_up};
  return &kKernel;
}

}  // namespace andon::vision

#else

namespace andon::vision {
const ByteTableKernel* neon_byte_table() {
  return nullptr;
}
}  // namespace andon::vision

#endif
