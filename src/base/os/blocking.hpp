// SPDX-License-Identifier: Apache-2.0
// Keeps threads that must not wait from waiting. An event loop marks its thread while it handles
// events; code that may wait for a disk, a database or another thread says so with may_block().
// A marked thread that gets there is a defect of the program: it goes on, the log names the place,
// and the count rises, which the tests of a loop look at. One look at a thread-local flag else.
// Any thread.
#pragma once

#include <cstdint>

namespace andon::base {

namespace blocking {
inline constinit thread_local bool is_forbidden_here = false;
void report(const char* what) noexcept;
}  // namespace blocking

// The thread that makes it must not block until it is destroyed. They may nest.
class NoBlocking {
 public:
  NoBlocking() : before_(blocking::is_forbidden_here) { blocking::is_forbidden_here = true; }
  NoBlocking(const NoBlocking&) = delete;
  NoBlocking& operator=(const NoBlocking&) = delete;
  ~NoBlocking() { blocking::is_forbidden_here = before_; }

 private:
  bool before_;
};

// The opposite, for a handler of a loop on a thread of its own, for which nobody waits.
class BlockingAllowed {
 public:
  BlockingAllowed() : before_(blocking::is_forbidden_here) { blocking::is_forbidden_here = false; }
  BlockingAllowed(const BlockingAllowed&) = delete;
  BlockingAllowed& operator=(const BlockingAllowed&) = delete;
  ~BlockingAllowed() { blocking::is_forbidden_here = before_; }

 private:
  bool before_;
};

// `what` is about to happen: "fsync", "a join".
inline void may_block(const char* what) noexcept {
  if (blocking::is_forbidden_here) [[unlikely]]
    blocking::report(what);
}

// How often a thread that must not block was about to, since the program began.
[[nodiscard]] std::uint64_t forbidden_blocks() noexcept;

}  // namespace andon::base
