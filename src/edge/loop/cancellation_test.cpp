// SPDX-License-Identifier: Apache-2.0
#include "edge/loop/cancellation.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "base/error/error.hpp"

namespace andon::edge {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;

ErrorCode code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

const auto kNoProgress = [] { return std::uint64_t{0}; };

TEST(Cancellation, EndsAWaitOnAnotherThread) {
  Cancellation cancellation;
  ErrorCode code{};
  std::thread waiter([&] { code = code_of([&] { cancellation.wait(std::chrono::hours(1)); }); });
  cancellation.cancel();
  waiter.join();
  EXPECT_EQ(code, ErrorCode::cancelled);
  EXPECT_TRUE(cancellation.cancelled());
}

TEST(Retry, ReturnsAtTheFirstSuccess) {
  const Cancellation cancellation;
  int tries = 0;
  retry(cancellation, milliseconds{0}, kNoProgress, [&] { ++tries; });
  EXPECT_EQ(tries, 1);
}

TEST(Retry, ThrowsAtOnceWhatDoesNotPass) {
  const Cancellation cancellation;
  int tries = 0;
  const auto work = [&] {
    ++tries;
    throw Error(ErrorCode::permission_denied, "no");
  };
  EXPECT_EQ(code_of([&] { retry(cancellation, std::chrono::hours(1), kNoProgress, work); }),
            ErrorCode::permission_denied);
  EXPECT_EQ(tries, 1);
}

TEST(Retry, GivesUpWithTheLastErrorWhenItsPatienceIsAtAnEnd) {
  const Cancellation cancellation;
  int tries = 0;
  const auto work = [&] {
    ++tries;
    throw Error(ErrorCode::unavailable, "down");
  };
  EXPECT_EQ(code_of([&] { retry(cancellation, milliseconds{0}, kNoProgress, work); }),
            ErrorCode::unavailable);
  EXPECT_EQ(tries, 1);
}

TEST(Retry, GoesOnForAsLongAsThereIsProgress) {
  const Cancellation cancellation;
  std::uint64_t bytes = 0;
  int tries = 0;
  // Less patience than the second wait would need, but something has come each time.
  retry(
      cancellation, milliseconds{300}, [&] { return bytes; },
      [&] {
        bytes += 10;
        if (++tries < 3) throw Error(ErrorCode::deadline_exceeded, "slow");
      });
  EXPECT_EQ(tries, 3);
}

TEST(Retry, ACancelledOneIsNotTriedAtAll) {
  Cancellation cancellation;
  cancellation.cancel();
  bool tried = false;
  EXPECT_EQ(code_of([&] {
              retry(cancellation, std::chrono::hours(1), kNoProgress, [&] { tried = true; });
            }),
            ErrorCode::cancelled);
  EXPECT_FALSE(tried);
}

}  // namespace
}  // namespace andon::edge
