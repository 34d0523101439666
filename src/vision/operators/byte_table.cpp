// SPDX-License-Identifier: Apache-2.0
#include "vision/operators/byte_table.hpp"

namespace andon::vision {
namespace {

void look_up(const ByteTable& table, const std::uint8_t* from, std::uint8_t* to,
             const ByteRows& rows) {
  for (std::size_t row = 0; row < rows.rows; ++row) {
    for (std::size_t i = 0; i < rows.bytes; ++i) to[i] = table[from[i]];
    from += rows.from_stride;
    to += rows.to_stride;
  }
}

}  // namespace

const ByteTableKernel& portable_byte_table() {
  static constexpr ByteTableKernel kKernel{"portable", look_up};
  return kKernel;
}

std::vector<const ByteTableKernel*> usable_byte_tables() {
  std::vector<const ByteTableKernel*> usable{&portable_byte_table()};
  for (const ByteTableKernel* wider : {neon_byte_table(), avx2_byte_table(), avx512_byte_table()}) {
    if (wider != nullptr) usable.push_back(wider);
  }
  return usable;
}

const ByteTableKernel& best_byte_table() {
  static const ByteTableKernel& best = *usable_byte_tables().back();
  return best;
}

}  // namespace andon::vision
