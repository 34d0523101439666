// SPDX-License-Identifier: Apache-2.0
// Lets everything that was handed to a state writer, and what followed from it, come to its end.
#pragma once

#include <gtest/gtest.h>

#include "edge/state/state_writer.hpp"

namespace andon::edge {

inline void settle(EventLoop& loop, StateWriter& writer) {
  // The end of one piece of work may begin the next: a message that is sent, a row that is read.
  for (int round = 0; round < 4; ++round) {
    bool ended = false;
    writer.run([](store::Transaction&) {}, [&](const std::exception_ptr&) { ended = true; });
    ASSERT_TRUE(loop.run_until([&] { return ended; }, std::chrono::seconds(20)));
  }
}

}  // namespace andon::edge
