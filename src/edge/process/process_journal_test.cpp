// SPDX-License-Identifier: Apache-2.0
#include "edge/process/process_journal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>

#include "base/os/process.hpp"

namespace andon::edge {
namespace {

constexpr std::chrono::milliseconds kLimit{20'000};

TEST(ProcessJournalTest, KillsWhatAKilledAgentLeftAndNothingElse) {
  const base::TemporaryDirectory directory;
  ProcessJournal journal(directory.path());
  base::ProcessOptions options;
  options.arguments = {"/bin/sleep", "1000"};
  base::Process leftover(options);
  base::Process stranger(options);
  journal.add(leftover.pid(), "a", "mark");
  // A file of an earlier process that had the stranger's number.
  base::write_file_atomically(directory.path() / std::to_string(stranger.pid()), "12 mark b");
  EXPECT_EQ(journal.kill_leftovers(), 1);
  EXPECT_TRUE(leftover.wait(kLimit));
  EXPECT_FALSE(stranger.poll());
  EXPECT_EQ(journal.kill_leftovers(), 0);
}

TEST(ProcessJournalTest, KillsAGroupWhoseLeaderHasDiedByItsMark) {
  const base::TemporaryDirectory directory;
  ProcessJournal journal(directory.path());
  base::ProcessOptions options;
  options.arguments = {"/bin/sh", "-c", "sleep 1000 & echo $!; wait"};
  options.environment[std::string(kProcessMark)] = "mark";
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const base::UniqueFd output(ends[0]);
  base::UniqueFd write_end(ends[1]);
  options.stdout_fd = write_end.get();
  base::Process leader(options);
  write_end.reset();
  journal.add(leader.pid(), "a", "mark");
  std::array<char, 32> text{};
  ASSERT_GT(read(output.get(), text.data(), text.size() - 1), 0);
  kill(leader.pid(), SIGKILL);
  ASSERT_TRUE(leader.wait(kLimit));
  EXPECT_EQ(journal.kill_leftovers(), 1);
  // Its end closes the last writer of the pipe.
  char more = 0;
  EXPECT_EQ(read(output.get(), &more, 1), 0);
}

TEST(ProcessJournalTest, IgnoresWhatItDidNotWrite) {
  const base::TemporaryDirectory directory;
  ProcessJournal journal(directory.path());
  base::write_file_atomically(directory.path() / "README", "hello");
  base::write_file_atomically(directory.path() / "1", "1 mark a");
  base::write_file_atomically(directory.path() / "99999999", "x");
  base::write_file_atomically(directory.path() / "0", "5 mark a");
  EXPECT_EQ(journal.kill_leftovers(), 0);
}

TEST(ProcessJournalTest, AProcessThatWasTakenOutIsLeftAlone) {
  const base::TemporaryDirectory directory;
  ProcessJournal journal(directory.path());
  base::ProcessOptions options;
  options.arguments = {"/bin/sleep", "1000"};
  base::Process process(options);
  journal.add(process.pid(), "a", "mark");
  journal.remove(process.pid());
  EXPECT_EQ(journal.kill_leftovers(), 0);
  EXPECT_FALSE(process.poll());
}

}  // namespace
}  // namespace andon::edge
