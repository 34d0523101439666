// SPDX-License-Identifier: Apache-2.0
// Room: trigger. What tells that a part is there, beside pictures that simply come: an HTTP
// request, an input of a controller (Modbus TCP), a GPIO line. A trigger takes the next picture.
//
// This file: what the component's configuration says of it. Pure values; any thread.
#pragma once

#include <chrono>
#include <string>
#include <variant>

#include "base/json/json_reader.hpp"
#include "inspect/fieldbus/gpio.hpp"
#include "inspect/fieldbus/modbus.hpp"

namespace andon::inspect {

struct HttpTriggerSettings {
  std::string address = "127.0.0.1:8093";
  bool operator==(const HttpTriggerSettings&) const = default;
};
// A part comes where the input changes so.
using TriggerEdge = GpioEdge;
struct ModbusTriggerSettings {
  ModbusPeer peer;
  ModbusTable table = ModbusTable::discrete_input;
  int address = 0;
  TriggerEdge edge = TriggerEdge::rising;
  std::chrono::milliseconds poll{10};
  bool operator==(const ModbusTriggerSettings&) const = default;
};
struct GpioTriggerSettings {
  GpioPlace place;
  TriggerEdge edge = TriggerEdge::rising;
  bool operator==(const GpioTriggerSettings&) const = default;
};

struct TriggerSettings {
  std::variant<HttpTriggerSettings, ModbusTriggerSettings, GpioTriggerSettings> input;
  // A part whose picture has not come by then gets its result without one.
  std::chrono::milliseconds picture_timeout{2'000};
  // So long a camera's picture takes to come: one that comes sooner was taken before the trigger.
  std::chrono::milliseconds camera_latency{0};
  bool operator==(const TriggerSettings&) const = default;
};

// Of the member "trigger":
//   {"type": "http", "address": "127.0.0.1:8093", "pictureTimeoutMs": 2000, "cameraLatencyMs": 0}
//   {"type": "modbus", "host": "10.0.0.5", "port": 502, "unit": 1, "input": 3 or "coil": 3,
//    "edge": "rising", "falling" or "both", "pollMs": 10, ...}
//   {"type": "gpio", "chip": "gpiochip0", "line": 17, "activeLow": false, "edge": "rising", ...}
// Throws invalid_argument naming the member.
[[nodiscard]] TriggerSettings read_trigger(const base::JsonReader& section);

}  // namespace andon::inspect
