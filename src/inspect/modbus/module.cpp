// SPDX-License-Identifier: Apache-2.0
// andon-inspect-modbus.so: Modbus TCP by libmodbus. Nothing is tried again here: who asks knows how
// much time is left.
#include <modbus/modbus.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>

#include "inspect/fieldbus/modbus_abi.hpp"

namespace abi = andon::inspect::modbus_abi;
using andon::inspect::ModuleText;

namespace andon::inspect::modbus_abi {

struct Connection {
  modbus_t* context = nullptr;
};

}  // namespace andon::inspect::modbus_abi

namespace {

void write_reason(ModuleText reason, int error) {
  std::snprintf(reason.text, reason.bytes, "%s", modbus_strerror(error));
}

void set_timeout(modbus_t* context, int timeout_ms) {
  constexpr int kMillis = 1000;
  modbus_set_response_timeout(context, static_cast<std::uint32_t>(timeout_ms / kMillis),
                              static_cast<std::uint32_t>(timeout_ms % kMillis) * kMillis);
}

void close_connection(abi::Connection* connection) {
  modbus_close(connection->context);
  modbus_free(connection->context);
  delete connection;
}

abi::Connection* open_connection(const char* host, const char* port, int unit, int timeout_ms,
                                 ModuleText reason) {
  modbus_t* context = modbus_new_tcp_pi(host, port);
  if (context == nullptr) {
    write_reason(reason, errno);
    return nullptr;
  }
  auto connection = std::make_unique<abi::Connection>();
  connection->context = context;
  set_timeout(context, timeout_ms);
  if (modbus_set_slave(context, unit) != 0 || modbus_connect(context) != 0) {
    write_reason(reason, errno);
    modbus_free(context);
    return nullptr;
  }
  return connection.release();
}

int write_value(abi::Connection* connection, abi::Table table, int address, int value,
                int timeout_ms, ModuleText reason) {
  set_timeout(connection->context, timeout_ms);
  const int written =
      table == abi::Table::holding_register
          ? modbus_write_register(connection->context, address, static_cast<std::uint16_t>(value))
          : modbus_write_bit(connection->context, address, value);
  if (written == 1) return 0;
  write_reason(reason, errno);
  return -1;
}

int read_value(abi::Connection* connection, abi::Table table, int address, int timeout_ms,
               ModuleText reason) {
  set_timeout(connection->context, timeout_ms);
  std::uint8_t bit = 0;
  std::uint16_t word = 0;
  int taken = -1;
  switch (table) {
    case abi::Table::coil:
      taken = modbus_read_bits(connection->context, address, 1, &bit);
      break;
    case abi::Table::discrete_input:
      taken = modbus_read_input_bits(connection->context, address, 1, &bit);
      break;
    case abi::Table::holding_register:
      taken = modbus_read_registers(connection->context, address, 1, &word);
      break;
  }
  if (taken == 1) return table == abi::Table::holding_register ? word : bit;
  const int error = errno;
  write_reason(reason, error);
  const bool is_exception = error >= EMBXILFUN && error <= EMBXGTAR;
  return is_exception ? -2 : -1;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const abi::Functions* andon_inspect_modbus() {
  static const abi::Functions functions{abi::kVersion, open_connection, write_value, read_value,
                                        close_connection};
  return &functions;
}
