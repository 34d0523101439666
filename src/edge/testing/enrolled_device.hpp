// SPDX-License-Identifier: Apache-2.0
// A device that was enrolled at a server which no test reaches.
#pragma once

#include "edge/state/device_config.hpp"

namespace andon::edge {

inline DeviceConfig enrolled_device() {
  DeviceConfig config;
  config.thing_name = "dev1";
  config.mqtt = {"localhost", 1};
  config.data_plane = {"localhost", 2};
  return config;
}

}  // namespace andon::edge
