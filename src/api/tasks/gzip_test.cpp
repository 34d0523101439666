// SPDX-License-Identifier: Apache-2.0
#include "api/tasks/gzip.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::api {
namespace {

using namespace std::string_literals;

// "a,b\n" three times, packed with gzip.
const std::string kPacked =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\xd4\x49\xe2\x4a\x84\x62\x00\x2f\x2f\x9b\x1a\x0c\x00\x00\x00"s;

TEST(Gzip, UnpacksEachMember) {
  EXPECT_TRUE(is_gzip(kPacked));
  EXPECT_FALSE(is_gzip("a,b"));
  EXPECT_EQ(gunzip(kPacked, 100), "a,b\na,b\na,b\n");
  EXPECT_EQ(gunzip(kPacked + kPacked, 100).size(), 24U);
}

TEST(Gzip, RefusesWhatIsDamagedCutOffOrTooLarge) {
  for (std::size_t size = 0; size < kPacked.size(); ++size) {
    EXPECT_THROW((void)gunzip(kPacked.substr(0, size), 100), base::Error) << size;
  }
  std::string damaged = kPacked;
  damaged[12] = static_cast<char>(damaged[12] ^ 0x55);
  EXPECT_THROW((void)gunzip(damaged, 100), base::Error);
  EXPECT_THROW((void)gunzip(kPacked, 11), base::Error);
}

}  // namespace
}  // namespace andon::api
