// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/terminal.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/os/file.hpp"

namespace andon::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(FormatBytes, HasThreeDigitsAtMostAndDecimalUnits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1000), "1.0 KB");
  EXPECT_EQ(format_bytes(12'149'113), "12.1 MB");
  EXPECT_EQ(format_bytes(640'000), "640 KB");
  EXPECT_EQ(format_bytes(999'600), "1.0 MB");
  EXPECT_EQ(format_bytes(5'000'000'000'000'000), "5000 TB");
}

// stderr is a file here, as in a script's log.
std::string said(const std::function<void(Terminal&)>& talk) {
  testing::internal::CaptureStderr();
  Terminal terminal;
  EXPECT_FALSE(terminal.is_terminal());
  talk(terminal);
  return testing::internal::GetCapturedStderr();
}

TEST(Terminal, WritesPlainLinesWhereNobodyLooks) {
  const std::string text = said([](Terminal& terminal) {
    terminal.step("starting");
    terminal.detail("a detail");
    terminal.warning("take care");
  });
  EXPECT_THAT(text, HasSubstr(" s] starting\n"));
  EXPECT_THAT(text, HasSubstr("           a detail\n"));
  EXPECT_THAT(text, HasSubstr("  warning: take care\n"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(Terminal, ProgressIsOneLineAtTheEndInALog) {
  const std::string text = said([](Terminal& terminal) {
    for (std::uint64_t done = 0; done <= 1'000'000; done += 100'000) {
      terminal.progress("model", done, 1'000'000);
    }
    terminal.progress_count("images", 3, 20);
    terminal.progress("nothing", 0, 0);
  });
  EXPECT_EQ(text, "           model: 1.0 MB\n");
}

}  // namespace
}  // namespace andon::cli
