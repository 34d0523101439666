// SPDX-License-Identifier: Apache-2.0
// A core device as its row in core_devices has it: for those alone who ask that table. Pure; any
// thread.
#pragma once

#include <string_view>

#include "control/devices/core_devices.hpp"
#include "control/shared/sql_text.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// In the order that read_core_device() reads them in.
inline constexpr std::string_view kCoreDeviceColumns =
    "thing, core_version, platform, architecture, runtime, status, updated_ms";

[[nodiscard]] inline CoreDevice read_core_device(const store::Row& row) {
  return {row.text(0),
          row.text(1),
          row.text(2),
          row.text(3),
          row.text(4),
          row.text(5),
          stored_time(row.integer(6))};
}

}  // namespace andon::control
