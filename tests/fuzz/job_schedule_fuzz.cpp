// SPDX-License-Identifier: Apache-2.0
// The schedule of a job (schedulingConfig): a next rollout that does not lie before now, or refused
// with a base::Error.
#include <cstdint>
#include <cstdlib>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "fleet/rollout/job_schedule.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  try {
    const auto value = base::parse_json({reinterpret_cast<const char*>(data), size}, "fuzz");
    const base::JsonReader reader(value, "schedulingConfig");
    const fleet::JobSchedule schedule = fleet::read_job_schedule(reader);
    const auto now = base::from_epoch_millis(1'795'343'912'000);
    fleet::check_times(reader, schedule, now);
    const auto next = fleet::next_rollout(schedule, now);
    if (next && *next < now) std::abort();
  } catch (const base::Error&) {
  }
  return 0;
}
