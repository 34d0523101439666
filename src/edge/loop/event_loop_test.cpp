// SPDX-License-Identifier: Apache-2.0
#include "edge/loop/event_loop.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

#include "base/error/error.hpp"
#include "base/os/blocking.hpp"
#include "edge/testing/fake_loop_clock.hpp"

namespace andon::edge {
namespace {

using std::chrono::milliseconds;

// Handles what there is, without waiting.
void turn(EventLoop& loop) {
  bool turned = false;
  loop.post([&] { turned = true; });
  EXPECT_TRUE(loop.run_until([&] { return turned; }, milliseconds{20'000}));
}

TEST(EventLoop, FiresTimersInTheOrderOfTheirTimes) {
  FakeLoopClock clock;
  EventLoop loop(clock);
  std::string order;
  loop.after(milliseconds{20}, [&] { order += 'b'; });
  loop.after(milliseconds{0}, [&] { order += 'a'; });
  loop.after(milliseconds{21}, [&] { order += 'c'; });
  turn(loop);
  EXPECT_EQ(order, "a");
  clock.advance(milliseconds{20});
  turn(loop);
  EXPECT_EQ(order, "ab");
  clock.advance(milliseconds{20});
  turn(loop);
  EXPECT_EQ(order, "abc");
}

TEST(EventLoop, FiresTimersByTheRealClock) {
  EventLoop loop;
  bool fired = false;
  loop.after(milliseconds{1}, [&] { fired = true; });
  EXPECT_TRUE(loop.run_until([&] { return fired; }, milliseconds{20'000}));
}

TEST(EventLoop, ACancelledTimerStaysSilent) {
  FakeLoopClock clock;
  EventLoop loop(clock);
  bool fired = false;
  const EventLoop::TimerId id = loop.after(milliseconds{1}, [&] { fired = true; });
  loop.cancel(id);
  clock.advance(milliseconds{10});
  turn(loop);
  EXPECT_FALSE(fired);
}

TEST(EventLoop, TellsHowLateItsTimersWere) {
  FakeLoopClock clock;
  EventLoop loop(clock);
  loop.after(milliseconds{10}, [] {});
  clock.advance(milliseconds{510});
  turn(loop);
  EXPECT_EQ(loop.lateness().max(), milliseconds{500});
  EXPECT_EQ(loop.lateness().percentile(0.999), milliseconds{500});
}

TEST(EventLoop, ItsHandlersMustNotBlock) {
  EventLoop loop;
  bool in_handler = false;
  loop.post([&] { in_handler = base::blocking::is_forbidden_here; });
  turn(loop);
  EXPECT_TRUE(in_handler);
  EXPECT_FALSE(base::blocking::is_forbidden_here);
}

TEST(EventLoop, AnErrorEndsItsEventOnly) {
  EventLoop loop;
  bool later = false;
  loop.post([] { throw base::Error(base::ErrorCode::internal, "as told"); });
  loop.post([&] { later = true; });
  turn(loop);
  EXPECT_TRUE(later);
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
