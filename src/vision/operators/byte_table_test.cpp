// SPDX-License-Identifier: Apache-2.0
#include "vision/operators/byte_table.hpp"

#include <gtest/gtest.h>

#include <random>

namespace andon::vision {
namespace {

ByteTable random_table(unsigned seed) {
  std::mt19937 random(seed);
  ByteTable table{};
  for (auto& value : table) value = static_cast<std::uint8_t>(random());
  return table;
}

std::vector<std::uint8_t> random_bytes(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> bytes(count);
  for (auto& value : bytes) value = static_cast<std::uint8_t>(random());
  return bytes;
}

TEST(ByteTable, EachKernelFindsEveryEntry) {
  const ByteTable table = random_table(1);
  std::vector<std::uint8_t> all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  for (const ByteTableKernel* kernel : usable_byte_tables()) {
    std::vector<std::uint8_t> found(256);
    kernel->look_up(table, all.data(), found.data(), {.bytes = 256});
    EXPECT_EQ(found, std::vector<std::uint8_t>(table.begin(), table.end())) << kernel->name;
  }
}

TEST(ByteTable, EachKernelGivesTheSameForRowsOfEveryLength) {
  for (std::size_t bytes = 0; bytes < 150; ++bytes) {
    const ByteTable table = random_table(static_cast<unsigned>(bytes));
    const ByteRows rows{3, bytes, bytes + 5, bytes + 11};
    const auto from = random_bytes(3 * rows.from_stride, 7);
    // What lies between the rows is nobody's to write.
    const auto untouched = random_bytes(3 * rows.to_stride, 8);
    auto expected = untouched;
    portable_byte_table().look_up(table, from.data(), expected.data(), rows);
    for (const ByteTableKernel* kernel : usable_byte_tables()) {
      auto found = untouched;
      kernel->look_up(table, from.data(), found.data(), rows);
      EXPECT_EQ(found, expected) << kernel->name << ", " << bytes;
    }
  }
}

TEST(ByteTable, EachKernelMayWriteWhereItReads) {
  const ByteTable table = random_table(3);
  const auto from = random_bytes(1000, 4);
  std::vector<std::uint8_t> expected(from.size());
  portable_byte_table().look_up(table, from.data(), expected.data(), {.bytes = from.size()});
  for (const ByteTableKernel* kernel : usable_byte_tables()) {
    auto both = from;
    kernel->look_up(table, both.data(), both.data(), {.bytes = both.size()});
    EXPECT_EQ(both, expected) << kernel->name;
  }
}

}  // namespace
}  // namespace andon::vision
