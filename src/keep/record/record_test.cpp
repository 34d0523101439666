// SPDX-License-Identifier: Apache-2.0
// What an agent and a keeper write for one another.
#include <gtest/gtest.h>

#include <cstring>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "keep/record/log_file.hpp"
#include "keep/record/order.hpp"
#include "keep/record/state_file.hpp"

namespace andon::keep {
namespace {

TEST(LogFileTest, TwoWritersShareOneFileAndItsRotation) {
  const base::TemporaryDirectory directory;
  const std::string path = directory.path() / "app.log";
  LogFile one(path.c_str(), 10, 1);
  LogFile other(path.c_str(), 10, 1);
  one.write("1111\n", 5);
  other.write("2222\n", 5);
  EXPECT_EQ(base::read_file(path), "1111\n2222\n");
  one.write("3333\n", 5);  // rotates
  other.write("4444\n", 5);
  EXPECT_EQ(base::read_file(path), "3333\n4444\n");
  EXPECT_EQ(base::read_file(path + ".1"), "1111\n2222\n");
}

TEST(LogFileTest, WhoWritesTooMuchLosesLinesThatAreCountedThere) {
  const base::TemporaryDirectory directory;
  const std::string path = directory.path() / "app.log";
  {
    LogFile log(path.c_str(), 1U << 20U, 1, 100);  // 400 bytes at once
    const std::string line = std::string(199, 'x') + "\n";
    log.write(line.data(), line.size());
    log.write(line.data(), line.size());
    log.write("some\nmore\nand half", 18);
    EXPECT_EQ(base::read_file(path), line + line);
  }
  const std::string text = base::read_file(path);
  EXPECT_TRUE(text.ends_with("x\n[andon: 3 lines left out, beyond 100 bytes a second]\n")) << text;
}

TEST(LogFileTest, WithoutACapNothingIsLeftOut) {
  const base::TemporaryDirectory directory;
  const std::string path = directory.path() / "app.log";
  LogFile log(path.c_str(), 64U << 20U, 1);
  const std::string line(4095, 'x');
  for (int i = 0; i < 2000; ++i) log.write((line + "\n").data(), line.size() + 1);
  EXPECT_EQ(base::fs::file_size(path), 2000 * 4096U);
}

TEST(StateFileTest, TellsOfAnEndWithItsLastWords) {
  const base::TemporaryDirectory directory;
  const std::string path = directory.path() / "state";
  ASSERT_TRUE(create_state_file(path.c_str(), 11, 12));
  const auto bytes = base::fs::file_size(path);
  KeptState state;
  ASSERT_TRUE(read_state_file(path.c_str(), state));
  EXPECT_EQ(state.keeper, 11);
  EXPECT_EQ(state.leader, 12);
  EXPECT_FALSE(state.has_ended);
  state.code = 7;
  state.ended_ms = 123'456'789'012;
  state.word_count = 4;
  std::memcpy(state.words, "gone", 4);
  ASSERT_TRUE(write_end(path.c_str(), state));
  KeptState read;
  ASSERT_TRUE(read_state_file(path.c_str(), read));
  EXPECT_TRUE(read.has_ended);
  EXPECT_EQ(read.code, 7);
  EXPECT_EQ(read.ended_ms, 123'456'789'012);
  EXPECT_EQ(std::string(read.words, read.word_count), "gone");
  EXPECT_EQ(base::fs::file_size(path), bytes);  // on a full disk, too
}

TEST(StateFileTest, IsWholeOrIsNotRead) {
  const base::TemporaryDirectory directory;
  const std::string path = directory.path() / "state";
  ASSERT_TRUE(create_state_file(path.c_str(), 11, 12));
  std::string bytes = base::read_file(path);
  KeptState state;
  EXPECT_FALSE(parse_state(bytes.data(), bytes.size() - 1, state));
  std::string other = bytes;
  other[0] = 'x';
  EXPECT_FALSE(parse_state(other.data(), other.size(), state));
  other = bytes;
  other.replace(2, 5, "0 12 ");
  EXPECT_FALSE(parse_state(other.data(), other.size(), state));
  other = bytes;
  other[0] = 'e';  // an end of which nothing is told
  EXPECT_FALSE(parse_state(other.data(), other.size(), state));
}

TEST(OrderTest, ComesToTheKeeperAsTheAgentGaveIt) {
  Order order;
  order.script = "exec sleep 1";
  order.working_directory = "/work";
  order.log_file = "/logs/a.log";
  order.log_bytes = 1000;
  order.log_files_kept = 3;
  order.state_file = "/state";
  order.user = 1001;
  order.groups = {7, 8};
  order.log_bytes_per_second = 9;
  order.cgroups = {"/one/cgroup.procs", "/two/cgroup.procs"};
  order.sandbox = kGuarded | kOffline;
  order.places = {"r/root", "w/root/work"};
  order.environment = {{"A", "1"}, {"B", ""}};
  std::string bytes = to_bytes(order);
  static OrderView view;
  ASSERT_TRUE(parse_order(bytes.data() + 4, bytes.size() - 4, view));
  EXPECT_STREQ(view.script, "exec sleep 1");
  EXPECT_STREQ(view.working_directory, "/work");
  EXPECT_STREQ(view.log_file, "/logs/a.log");
  EXPECT_EQ(view.log_bytes, 1000U);
  EXPECT_EQ(view.log_files_kept, 3);
  EXPECT_STREQ(view.state_file, "/state");
  EXPECT_EQ(view.user, 1001);
  EXPECT_EQ(view.group, kOwn);
  ASSERT_EQ(view.group_count, 2U);
  EXPECT_EQ(view.groups[1], 8U);
  EXPECT_EQ(view.log_bytes_per_second, 9U);
  ASSERT_EQ(view.cgroup_count, 2U);
  EXPECT_STREQ(view.cgroups[1], "/two/cgroup.procs");
  EXPECT_EQ(view.sandbox, kGuarded | kOffline);
  ASSERT_EQ(view.place_count, 2U);
  EXPECT_STREQ(view.places[0], "r/root");
  EXPECT_STREQ(view.environment[0], "A=1");
  EXPECT_STREQ(view.environment[1], "B=");
  EXPECT_EQ(view.environment[2], nullptr);
  for (std::size_t size = 0; size < 40; ++size) {
    std::string cut = bytes.substr(4, size);
    EXPECT_FALSE(parse_order(cut.data(), cut.size(), view)) << size;
  }
}

TEST(OrderTest, RefusesWhatANulWouldCut) {
  Order order;
  order.script = std::string("a\0b", 3);
  EXPECT_THROW(static_cast<void>(to_bytes(order)), base::Error);
}

}  // namespace
}  // namespace andon::keep
