// SPDX-License-Identifier: Apache-2.0
#include "functions/sandboxes/output_lines.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "functions/sandboxes/plan.hpp"

namespace andon::functions {
namespace {

class OutputLinesTest : public testing::Test {
 protected:
  std::vector<std::string> written_;
  OutputLines lines_{[this](std::string line) { written_.push_back(std::move(line)); }};
};

TEST_F(OutputLinesTest, AreWholeHoweverTheyCome) {
  lines_.add("on");
  lines_.add("e\n\ntwo\nthr");
  lines_.add_line("END");
  EXPECT_EQ(written_, (std::vector<std::string>{"one", "two", "thr", "END"}));
}

TEST_F(OutputLinesTest, OneWithoutEndBecomesSeveralAndWhatIsNoTextIsReplaced) {
  lines_.add(std::string(200'000, 'x'));
  lines_.end_line();
  ASSERT_EQ(written_.size(), 4U);
  EXPECT_LE(written_[0].size(), 65'536U);
  lines_.add("\xff\n");
  EXPECT_EQ(written_.back(), "\xef\xbf\xbd");
}

TEST_F(OutputLinesTest, ItsTailIsTheEndOfWhatCameSinceItBegan) {
  lines_.add("before\n");
  lines_.begin_tail();
  lines_.add("first\n");
  EXPECT_EQ(lines_.tail(), "first\n");
  for (int i = 0; i < 10'000; ++i) lines_.add("line\n");
  EXPECT_EQ(lines_.tail().size(), kMostTail);
  EXPECT_TRUE(lines_.tail().ends_with("\nline\n"));
}

}  // namespace
}  // namespace andon::functions
