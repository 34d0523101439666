// SPDX-License-Identifier: Apache-2.0
#include "edge/event_loop.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

namespace andon::edge {
namespace {

using std::chrono::milliseconds;

TEST(EventLoop, FiresTimersInTheOrderOfTheirTimes) {
  const milliseconds later{20};
  std::string order;
  bool set_in_time = false;
  while (!set_in_time) {  // a machine that sleeps between the two makes the first one due first
    EventLoop loop;
    order.clear();
    const auto start = std::chrono::steady_clock::now();
    loop.after(later, [&] { order += 'b'; });
    loop.after(milliseconds{0}, [&] { order += 'a'; });
    set_in_time = std::chrono::steady_clock::now() - start < later;
    EXPECT_TRUE(loop.run_until([&] { return order.size() == 2; }, milliseconds{5000}));
  }
  EXPECT_EQ(order, "ab");
}

TEST(EventLoop, ACancelledTimerStaysSilent) {
  EventLoop loop;
  bool fired = false;
  bool later = false;
  const EventLoop::TimerId id = loop.after(milliseconds{1}, [&] { fired = true; });
  loop.cancel(id);
  loop.after(milliseconds{10}, [&] { later = true; });
  EXPECT_TRUE(loop.run_until([&] { return later; }, milliseconds{5000}));
  EXPECT_FALSE(fired);
}

TEST(EventLoop, RunsWorkThatAnotherThreadPosts) {
  EventLoop loop;
  std::thread::id ran_on;
  std::thread other([&] { loop.post([&] { ran_on = std::this_thread::get_id(); }); });
  EXPECT_TRUE(loop.run_until([&] { return ran_on != std::thread::id{}; }, milliseconds{5000}));
  other.join();
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(EventLoop, AHandlerMayRemoveItself) {
  EventLoop loop;
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const base::UniqueFd read_end(ends[0]);
  const base::UniqueFd write_end(ends[1]);
  std::string captured = "kept alive while the handler runs";
  bool called = false;
  loop.watch(read_end.get(), EPOLLIN, [&loop, &called, captured, fd = read_end.get()](auto) {
    loop.unwatch(fd);
    called = captured.size() > 10;
  });
  ASSERT_EQ(write(write_end.get(), "x", 1), 1);
  EXPECT_TRUE(loop.run_until([&] { return called; }, milliseconds{5000}));
}

TEST(EventLoop, StopEndsRun) {
  EventLoop loop;
  loop.after(milliseconds{0}, [&] { loop.stop(); });
  loop.run();
}

}  // namespace
}  // namespace andon::edge
