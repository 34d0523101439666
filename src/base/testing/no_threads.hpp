// SPDX-License-Identifier: Apache-2.0
// For tests: while it lives, no thread of this process can start another (EAGAIN, as where the
// system's limits are reached): the stack that each would get is larger than the address space.
#pragma once

#include <pthread.h>

#include <stdexcept>

namespace andon::base {

class NoThreads {
 public:
  NoThreads() {
    constexpr std::size_t kTooLarge = std::size_t{1} << 60U;
    pthread_getattr_default_np(&before_);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kTooLarge);
    const int error = pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
    if (error != 0) throw std::runtime_error("the size of new stacks cannot be set");
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;
  ~NoThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }

 private:
  pthread_attr_t before_{};
};

}  // namespace andon::base
