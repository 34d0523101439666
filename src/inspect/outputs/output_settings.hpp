// SPDX-License-Identifier: Apache-2.0
// Room: outputs. Telling the line what became of a part, in time: outputs with a deadline each,
// counted and measured, and the fail-safe verdict where there is none in time.
//
// This file: what the component's configuration says of outputs. Pure values; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json/json_reader.hpp"
#include "inspect/fieldbus/gpio.hpp"
#include "inspect/fieldbus/modbus.hpp"
#include "inspect/verdict/verdict.hpp"

namespace andon::inspect {

// A coil or a holding register that is set for a verdict and set back after the pulse.
struct ModbusOutput {
  ModbusPeer peer;
  ModbusTable table = ModbusTable::coil;
  int address = 0;
  int value = 1;  // of a register
  int rest = 0;
  bool operator==(const ModbusOutput&) const = default;
};
struct GpioOutput {
  GpioPlace place;
  bool operator==(const GpioOutput&) const = default;
};
// POST of the verdict as JSON; a status of 200 to 299 is the answer that is wanted.
struct HttpOutput {
  std::string url;
  std::map<std::string, std::string> headers;
  std::string ca_file;  // empty: the system's store
  bool operator==(const HttpOutput&) const = default;
};
// Through the agent: to components of this device, or to the broker.
struct MqttOutput {
  std::string topic;
  bool is_local = false;
  bool operator==(const MqttOutput&) const = default;
};
struct CommandOutput {
  std::vector<std::string> arguments;  // [0] is the program; no shell
  bool operator==(const CommandOutput&) const = default;
};

struct OutputSettings {
  std::string name;
  std::vector<Judgement> verdicts;  // for which it is given
  // From the trigger, or from the picture where there is none: told by then, not before `delay`.
  std::chrono::milliseconds deadline{1000};
  std::chrono::milliseconds delay{0};
  // So long before the deadline the fail-safe verdict is decided where there is none, and so long
  // after it that one may still be told.
  std::chrono::milliseconds lead{100};
  // Of Modbus and GPIO: how long it is on. 0: as the last verdict was.
  std::chrono::milliseconds pulse{100};
  std::size_t at_once = 1;  // of HTTP and commands: how many at the same time
  std::variant<ModbusOutput, GpioOutput, HttpOutput, MqttOutput, CommandOutput> target;

  [[nodiscard]] bool is_for(Judgement judgement) const;
  // From the trigger until it is not told any more.
  enum class Kind { of_the_model, fail_safe };
  [[nodiscard]] std::chrono::milliseconds told_until(Kind kind) const {
    return kind == Kind::fail_safe ? deadline + lead : deadline;
  }
  bool operator==(const OutputSettings&) const = default;
};

inline constexpr std::size_t kMostOutputs = 16;

// Of the member "outputs", a list:
//   {"name": "reject", "type": "modbus", "verdicts": ["NG"], "deadlineMs": 200, "delayMs": 0,
//    "leadMs": 20, "pulseMs": 100, "host": "10.0.0.5", "port": 502, "unit": 1, "coil": 17}
//   {..., "type": "modbus", "register": 40, "value": 1, "rest": 0}
//   {..., "type": "gpio", "chip": "gpiochip0", "line": 17, "activeLow": false}
//   {..., "type": "http", "url": "http://...", "headers": {}, "caFile": "", "atOnce": 2}
//   {..., "type": "mqtt", "topic": "a/b", "to": "broker" or "device"}
//   {..., "type": "command", "command": ["/usr/bin/reject", "--now"], "atOnce": 2}
// Throws invalid_argument naming the member.
[[nodiscard]] std::vector<OutputSettings> read_outputs(const base::JsonReader& root);

// What outputs and triggers have in common: "host", "port", "unit"; "chip", "line", "activeLow".
[[nodiscard]] ModbusPeer read_modbus_peer(const base::JsonReader& reader);
[[nodiscard]] GpioPlace read_gpio_place(const base::JsonReader& reader);
[[nodiscard]] std::chrono::milliseconds read_millis(const base::JsonReader& reader,
                                                    std::string_view key,
                                                    std::chrono::milliseconds otherwise,
                                                    std::chrono::milliseconds least,
                                                    std::chrono::milliseconds most);

}  // namespace andon::inspect
