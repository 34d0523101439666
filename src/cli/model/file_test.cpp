// SPDX-License-Identifier: Apache-2.0
#include "cli/model/file.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::cli {
namespace {

TEST(ParseInputSize, IsASideOrWidthByHeight) {
  EXPECT_FALSE(parse_input_size(""));
  EXPECT_EQ(parse_input_size("640")->width, 640);
  EXPECT_EQ(parse_input_size("640")->height, 640);
  EXPECT_EQ(parse_input_size("640x480")->width, 640);
  EXPECT_EQ(parse_input_size("640x480")->height, 480);
  for (const char* bad : {"x", "0", "-1", "640x", "x480", "640x0", "640 x480", "640X480", "1e3",
                          "16385", "640x480x3", "99999999999"}) {
    EXPECT_THROW((void)parse_input_size(bad), base::Error) << bad;
  }
}

}  // namespace
}  // namespace andon::cli
