// SPDX-License-Identifier: Apache-2.0
#include "vision/runtime/cores.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

#include "base/error/error.hpp"
#include "base/os/cores.hpp"

namespace andon::vision {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(Cores, AreListedByNumbersAndRanges) {
  EXPECT_THAT(parse_core_list("0,2-4,1"), ElementsAre(0, 2, 3, 4, 1));
  EXPECT_EQ(core_list(std::vector<int>{0, 2, 3, 4, 1}), "0,2-4,1");
  for (const char* wrong : {"", "a", "1,", "3-1", "-1", "1;2", "0-99999999", "1-"}) {
    EXPECT_THAT([&] { (void)parse_core_list(wrong); },
                ThrowsMessage<base::Error>(HasSubstr("as in 0,2-3")))
        << wrong;
  }
  EXPECT_THAT([] { (void)parse_core_list("0-3,2"); },
              ThrowsMessage<base::Error>(HasSubstr("core 2 twice")));
}

TEST(Cores, ThatMayNotBeUsedAreNamed) {
  const std::vector<int> allowed{0, 1, 5};
  EXPECT_NO_THROW(check_cores(std::vector<int>{5, 0}, allowed));
  EXPECT_THAT(
      [&] {
        check_cores(std::vector<int>{0, 2}, allowed);
      },
      ThrowsMessage<base::Error>(HasSubstr("core 2 may not be used by this process; 0-1,5 may")));
}

TEST(Cores, ThatThisProcessMayUseAreNotThoseOfTheMachine) {
  const std::vector<int> before = base::allowed_cores();
  ASSERT_FALSE(before.empty());
  std::vector<int> inside;
  int usable = 0;
  int ran_on = -1;
  std::thread pinned([&] {
    keep_on_core(pthread_self(), before.back());
    inside = base::allowed_cores();
    usable = base::usable_cores();
    ran_on = sched_getcpu();
  });
  pinned.join();
  EXPECT_THAT(inside, ElementsAre(before.back()));
  EXPECT_EQ(usable, 1);
  EXPECT_EQ(ran_on, before.back());
  EXPECT_EQ(base::allowed_cores(), before);
}

TEST(Cores, AreAllThereAgainBehindOne) {
  const std::vector<int> before = base::allowed_cores();
  {
    const OnOneCore pinned(before.back());
    EXPECT_THAT(base::allowed_cores(), ElementsAre(before.back()));
  }
  EXPECT_EQ(base::allowed_cores(), before);
}

}  // namespace
}  // namespace andon::vision
