// SPDX-License-Identifier: Apache-2.0
#include "edge/agent/idle_memory.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/os/file.hpp"

namespace andon::edge {
namespace {

std::uint64_t resident_file_kib() {
  const std::string text = base::read_file("/proc/self/status");
  return std::stoull(text.substr(text.find("RssFile:") + 8));
}

std::array<int, 10'000> written_data = {1, 2, 3};

TEST(IdleMemory, GivesBackFilePagesAndLosesNothing) {
  written_data[9'999] = 7;
  const std::string before(100'000, 'x');
  const std::uint64_t resident = resident_file_kib();
  EXPECT_GT(give_back_idle_memory(), 0U);
  EXPECT_LT(resident_file_kib(), resident);
  EXPECT_EQ(written_data[9'999], 7);
  EXPECT_EQ(written_data[2], 3);
  EXPECT_EQ(before, std::string(100'000, 'x'));
  EXPECT_EQ(std::to_string(1.5).substr(0, 3), "1.5");  // libraries work as before
}

}  // namespace
}  // namespace andon::edge
