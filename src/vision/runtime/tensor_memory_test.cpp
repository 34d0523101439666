// SPDX-License-Identifier: Apache-2.0
#include "vision/runtime/tensor_memory.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

namespace andon::vision {
namespace {

TEST(TensorMemory, GivesAlignedBlocksThatDoNotOverlap) {
  TensorMemory memory;
  std::vector<std::pair<unsigned char*, std::size_t>> blocks;
  for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 1000U, 131'072U, 200'000U, 9'000'001U}) {
    for (int i = 0; i < 3; ++i) {
      auto* block = static_cast<unsigned char*>(memory.allocate(size));
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0U);
      std::memset(block, static_cast<int>(blocks.size()), size);
      blocks.emplace_back(block, size);
    }
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto& [block, size] = blocks[i];
    for (std::size_t at = 0; at < size; ++at) ASSERT_EQ(block[at], i);
    memory.give_back(block);
  }
  EXPECT_EQ(memory.counts().bytes_in_use, 0U);
}

TEST(TensorMemory, HandsABlockOutAgainAndReturnsItOnlyWhenAsked) {
  TensorMemory memory;
  void* first = memory.allocate(1'000'000);
  memory.give_back(first);
  EXPECT_EQ(memory.allocate(1'000'000), first);
  EXPECT_EQ(memory.counts().taken_from_system, 1U);
  memory.give_back(first);
  EXPECT_GE(memory.counts().bytes_kept, 1'000'000U);
  memory.release_unused();
  EXPECT_EQ(memory.counts().bytes_kept, 0U);
  memory.give_back(memory.allocate(1'000'000));
  EXPECT_EQ(memory.counts().taken_from_system, 2U);
}

TEST(TensorMemory, HasNoBlockOfAnImpossibleSize) {
  TensorMemory memory;
  EXPECT_EQ(memory.allocate(SIZE_MAX), nullptr);
  memory.give_back(nullptr);
}

}  // namespace
}  // namespace andon::vision
