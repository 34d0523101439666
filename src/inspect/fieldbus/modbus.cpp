// SPDX-License-Identifier: Apache-2.0
#include "inspect/fieldbus/modbus.hpp"

#include <algorithm>

#include "base/error/error.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;

namespace {

constexpr ModuleName kModule{
    "andon-inspect-modbus.so", modbus_abi::kEntry, modbus_abi::kVersion,
    "Modbus needs andon-inspect-modbus.so beside this program, and the Debian package libmodbus5"};

int millis_until(Instant deadline) {
  using std::chrono::milliseconds;
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
  constexpr milliseconds kLongest{60'000};
  return static_cast<int>(std::clamp(left, milliseconds{1}, kLongest).count());
}

}  // namespace

std::string to_string(const ModbusPeer& peer) {
  return fmt::format("{}:{} unit {}", peer.host, peer.port, peer.unit);
}

ModbusConnection::ModbusConnection(ModbusPeer peer)
    : peer_(std::move(peer)), functions_(functions_of<modbus_abi::Functions>(kModule)) {}

ModbusConnection::~ModbusConnection() {
  close();
}

void ModbusConnection::close() {
  if (connection_ != nullptr) functions_.close(connection_);
  connection_ = nullptr;
}

void ModbusConnection::fail(std::string_view what, const ModuleReason& reason) {
  close();
  throw Error(ErrorCode::unavailable,
              fmt::format("Modbus {}: {}: {}", to_string(peer_), what, reason.string()));
}

void ModbusConnection::open(Instant deadline) {
  close();
  ModuleReason reason;
  connection_ = functions_.open(peer_.host.c_str(), std::to_string(peer_.port).c_str(), peer_.unit,
                                millis_until(deadline), reason.text());
  if (connection_ == nullptr) fail("cannot be connected to", reason);
}

void ModbusConnection::write(ModbusTable table, int address, int value, Instant deadline) {
  ModuleReason reason;
  if (functions_.write(connection_, table, address, value, millis_until(deadline), reason.text()) !=
      0) {
    fail(fmt::format("{} was not written", address), reason);
  }
}

int ModbusConnection::read(ModbusTable table, int address, Instant deadline) {
  ModuleReason reason;
  const int value =
      functions_.read(connection_, table, address, millis_until(deadline), reason.text());
  if (value == -2) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("Modbus {}: {} may not be read: {}", to_string(peer_), address,
                            reason.string()));
  }
  if (value < 0) fail(fmt::format("{} was not read", address), reason);
  return value;
}

}  // namespace andon::inspect
