// SPDX-License-Identifier: Apache-2.0
// Room: fieldbus. What stands beside the line and is spoken to: controllers over Modbus TCP, and
// lines of this machine's GPIO chips.
//
// A connection to a Modbus TCP server; belongs to one thread at a time. Each call has a deadline
// and throws unavailable with the library's reason; the connection is closed then, for what comes
// late must not be taken for the next answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "inspect/fieldbus/modbus_abi.hpp"
#include "inspect/modules/module.hpp"

namespace andon::inspect {

using Instant = std::chrono::steady_clock::time_point;

struct ModbusPeer {
  std::string host;
  std::uint16_t port = 502;
  int unit = 1;
  bool operator==(const ModbusPeer&) const = default;
};
[[nodiscard]] std::string to_string(const ModbusPeer& peer);  // "10.0.0.5:502 unit 1"

using ModbusTable = modbus_abi::Table;

class ModbusConnection {
 public:
  // Opens the module: throws failed_precondition naming what to install.
  explicit ModbusConnection(ModbusPeer peer);
  ModbusConnection(const ModbusConnection&) = delete;
  ModbusConnection& operator=(const ModbusConnection&) = delete;
  ~ModbusConnection();

  [[nodiscard]] bool is_open() const { return connection_ != nullptr; }
  void open(Instant deadline);
  void close();
  // Only where it is open.
  void write(ModbusTable table, int address, int value, Instant deadline);
  // Throws invalid_argument where the peer says that it may not be read; it stays open then.
  [[nodiscard]] int read(ModbusTable table, int address, Instant deadline);

 private:
  [[noreturn]] void fail(std::string_view what, const ModuleReason& reason);

  ModbusPeer peer_;
  const modbus_abi::Functions& functions_;
  modbus_abi::Connection* connection_ = nullptr;
};

}  // namespace andon::inspect
