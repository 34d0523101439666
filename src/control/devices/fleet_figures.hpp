// SPDX-License-Identifier: Apache-2.0
// How the fleet is, in numbers, for those who watch it. Any thread; one transaction of reads by
// index.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct FleetFigures {
  std::int64_t things = 0;
  std::map<std::string, std::int64_t> devices;  // that have reported, by status
  std::int64_t silent = 0;                      // of them, whose last word is a day old and more
  // What the current deployments are on their devices, by status of the job.
  std::map<std::string, std::int64_t> jobs;
  // Active certificates of devices that are over or will be within 30 days. Devices renew theirs
  // earlier: one that is counted has not been here, or has one that was made by hand.
  std::int64_t certificates_ending = 0;
};

[[nodiscard]] FleetFigures fleet_figures(store::Database& database, base::Timestamp now);

}  // namespace andon::control
