// SPDX-License-Identifier: Apache-2.0
#include "inspect/outputs/urgent_thread.hpp"

#include <pthread.h>
#include <sched.h>

#include <cstring>
#include <mutex>

#include "base/log/log.hpp"

namespace andon::inspect {

int be_urgent(const char* name) {
  pthread_setname_np(pthread_self(), name);
  const sched_param lowest{.sched_priority = sched_get_priority_min(SCHED_RR)};
  return pthread_setschedparam(pthread_self(), SCHED_RR | SCHED_RESET_ON_FORK, &lowest);
}

void be_urgent_or_warn(const char* name) {
  const int refused = be_urgent(name);
  if (refused == 0) return;
  static std::once_flag told;
  std::call_once(told, [&] {
    base::log_warning(
        "the line's outputs may not go before other programs: where all cores are busy, deadlines "
        "below some 100 ms want a limit of real-time priority (LimitRTPRIO=1 in the service)",
        {{"error", std::strerror(refused)}});
  });
}

}  // namespace andon::inspect
