// SPDX-License-Identifier: Apache-2.0
#include "edge/loop/worker.hpp"

#include <gtest/gtest.h>

#include <future>

#include "base/error/error.hpp"

namespace andon::edge {
namespace {

constexpr std::chrono::milliseconds kLimit{20'000};

TEST(Worker, DoesItsWorkInOrderElsewhereAndTellsOnTheLoop) {
  EventLoop loop;
  Worker worker(loop);
  std::string order;
  std::thread::id worked_on;
  std::thread::id told_on;
  worker.run([&] { worked_on = std::this_thread::get_id(); },
             [&](const std::exception_ptr&) {
               order += 'a';
               told_on = std::this_thread::get_id();
             });
  worker.run([] {}, [&](const std::exception_ptr&) { order += 'b'; });
  ASSERT_TRUE(loop.run_until([&] { return order.size() == 2; }, kLimit));
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(told_on, std::this_thread::get_id());
  EXPECT_NE(worked_on, std::this_thread::get_id());
}

TEST(Worker, HandsOnWhatTheWorkThrows) {
  EventLoop loop;
  Worker worker(loop);
  std::exception_ptr got;
  worker.run([] { throw base::Error(base::ErrorCode::unavailable, "no"); },
             [&](const std::exception_ptr& error) { got = error; });
  ASSERT_TRUE(loop.run_until([&] { return got != nullptr; }, kLimit));
  EXPECT_THROW(std::rethrow_exception(got), base::Error);
}

TEST(Worker, ItsEndWaitsForWhatIsInHandAndTellsNobody) {
  EventLoop loop;
  std::promise<void> begun;
  std::promise<void> may_end;
  bool first_done = false;
  bool told = false;
  auto worker = std::make_unique<Worker>(loop);
  worker->run(
      [&] {
        begun.set_value();
        may_end.get_future().wait();
        first_done = true;
      },
      [&](const std::exception_ptr&) { told = true; });
  begun.get_future().wait();
  std::thread ender([&] { worker.reset(); });
  may_end.set_value();
  ender.join();
  EXPECT_TRUE(first_done);
  bool turned = false;
  loop.post([&] { turned = true; });
  ASSERT_TRUE(loop.run_until([&] { return turned; }, kLimit));
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace andon::edge
