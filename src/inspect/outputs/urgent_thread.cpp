// SPDX-License-Identifier: Apache-2.0
#include "inspect/outputs/urgent_thread.hpp"

#include <pthread.h>
#include <sched.h>

namespace andon::inspect {

void be_urgent(const char* name) {
  pthread_setname_np(pthread_self(), name);
  const sched_param lowest{.sched_priority = sched_get_priority_min(SCHED_RR)};
  [[maybe_unused]] const int refused =
      pthread_setschedparam(pthread_self(), SCHED_RR | SCHED_RESET_ON_FORK, &lowest);
}

}  // namespace andon::inspect
