// SPDX-License-Identifier: Apache-2.0
#include "base/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "base/error.hpp"

namespace andon::base {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ProcessOptions shell(const std::string& script) {
  return {.arguments = {"sh", "-c", script}};
}

TEST(Process, ReportsExitCodeAndSignal) {
  EXPECT_EQ(to_string(Process(shell("exit 3")).wait(seconds{20}).value()), "exit code 3");
  EXPECT_EQ(Process(shell("kill -9 $$")).wait(seconds{20}).value().signal, SIGKILL);
}

TEST(Process, GivesEnvironmentDirectoryAndOutput) {
  const TemporaryDirectory directory;
  const fs::path out = directory.path() / "out";
  {
    const UniqueFd fd = open_file(out, O_WRONLY | O_CREAT);
    ProcessOptions options = shell("echo $GREETING; pwd");
    options.environment["GREETING"] = "hello";
    options.working_directory = directory.path();
    options.stdout_fd = fd.get();
    ASSERT_TRUE(Process(options).wait(seconds{20}).value().ok());
  }
  EXPECT_EQ(read_file(out), "hello\n" + directory.path().string() + "\n");
}

TEST(Process, SaysWhyAProgramCannotBeStarted) {
  try {
    const Process process({.arguments = {"/no/such/program"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_NE(error.message().find("/no/such/program"), std::string::npos);
  }
}

TEST(Process, StopKillsTheWholeGroupOfAProcessThatIgnoresTerm) {
  Process process(shell("trap '' TERM; sleep 1000 & echo $! > /dev/null; wait; sleep 1000"));
  EXPECT_EQ(process.wait(milliseconds{50}), std::nullopt);
  EXPECT_EQ(process.stop(milliseconds{50}).signal, SIGKILL);
}

TEST(ProcessStartTicks, TellOneProcessFromAnother) {
  EXPECT_EQ(process_start_ticks(getpid()), process_start_ticks(getpid()));
  EXPECT_TRUE(process_start_ticks(getpid()).has_value());
  EXPECT_EQ(process_start_ticks(1'999'999'999), std::nullopt);
}

}  // namespace
}  // namespace andon::base
