// SPDX-License-Identifier: Apache-2.0
#include "base/os/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error/error.hpp"

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

TEST(Process, GivesNoDescriptorsButTheThreeStandardOnes) {
  const TemporaryDirectory directory;
  const fs::path out = directory.path() / "out";
  int leaky[2];
  ASSERT_EQ(pipe(leaky), 0);  // without O_CLOEXEC, as libraries open theirs
  const UniqueFd first(leaky[0]);
  const UniqueFd second(leaky[1]);
  {
    const UniqueFd fd = open_file(out, O_WRONLY | O_CREAT);
    ProcessOptions options = shell(
        "n=0; while [ $n -lt 100 ]; do [ -e /proc/$$/fd/$n ] && echo $n; n=$((n + 1)); done; true");
    options.stdout_fd = fd.get();
    ASSERT_TRUE(Process(options).wait(seconds{20}).value().ok());
  }
  EXPECT_EQ(read_file(out), "0\n1\n2\n");
}

TEST(Process, AUserWithoutAGroupKeepsNoneOfOurs) {
  if (geteuid() != 0) return;  // only root can become somebody else
  const TemporaryDirectory directory;
  chmod(directory.path().c_str(), 0755);
  const fs::path out = directory.path() / "out";
  {
    const UniqueFd fd = open_file(out, O_WRONLY | O_CREAT);
    ProcessOptions options = shell("id -u; id -G");
    options.stdout_fd = fd.get();
    options.user = 12345;
    ASSERT_TRUE(Process(options).wait(seconds{20}).value().ok());
  }
  EXPECT_EQ(read_file(out), "12345\n65534\n");
}

TEST(Process, AUserHasTheGroupsThatItIsGiven) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  const TemporaryDirectory directory;
  const fs::path out = directory.path() / "out";
  {
    const UniqueFd fd = open_file(out, O_WRONLY | O_CREAT);
    ProcessOptions options = shell("id -u; id -G");
    options.stdout_fd = fd.get();
    options.user = 12345;
    options.group = 12346;
    options.groups = {12347};
    ASSERT_TRUE(Process(options).wait(seconds{20}).value().ok());
  }
  EXPECT_EQ(read_file(out), "12345\n12346 12347\n");
}

TEST(Process, InheritsNothingWhereItMustNot) {
  const TemporaryDirectory directory;
  const fs::path out = directory.path() / "out";
  ASSERT_EQ(setenv("ANDON_TEST_SECRET", "of the parent", 1), 0);
  {
    const UniqueFd fd = open_file(out, O_WRONLY | O_CREAT);
    ProcessOptions options{.arguments = {"/usr/bin/env"}};
    options.environment["GREETING"] = "hello";
    options.inherited = Inherited::nothing;
    options.stdout_fd = fd.get();
    ASSERT_TRUE(Process(options).wait(seconds{20}).value().ok());
  }
  EXPECT_EQ(unsetenv("ANDON_TEST_SECRET"), 0);
  EXPECT_EQ(read_file(out), "GREETING=hello\n");
}

TEST(Process, RefusesWhatTheSystemWouldCutShort) {
  EXPECT_THROW(Process(shell(std::string("echo a\0b", 8))), Error);
  ProcessOptions options = shell("true");
  options.environment["NAME"] = std::string("a\0b", 3);
  EXPECT_THROW(Process{options}, Error);
}

TEST(Process, SaysThatItsDirectoryCannotBeEntered) {
  try {
    ProcessOptions options = shell("true");
    options.working_directory = "/no/such/directory";
    const Process process(options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("/no/such/directory cannot be entered"), std::string::npos)
        << error.message();
  }
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
