// SPDX-License-Identifier: Apache-2.0
// Between andon-inspect and andon-inspect-modbus.so, which is opened only where the line is told
// over Modbus. Plain C types; the version is checked.
#pragma once

#include "inspect/modules/module_text.hpp"

namespace andon::inspect::modbus_abi {

inline constexpr int kVersion = 1;
inline constexpr const char* kEntry = "andon_inspect_modbus";

struct Connection;
enum class Table : int { coil, discrete_input, holding_register };

// Each call waits so long at most; a connection on which one failed is closed by the caller.
struct Functions {
  int version;
  // Null and a reason where there is no connection.
  Connection* (*open)(const char* host, const char* port, int unit, int timeout_ms,
                      ModuleText reason);
  // 0, or -1 and a reason.
  int (*write)(Connection*, Table, int address, int value, int timeout_ms, ModuleText reason);
  // The value; -1 and a reason where there is no answer; -2 and a reason where the answer is that
  // it may not be read.
  int (*read)(Connection*, Table, int address, int timeout_ms, ModuleText reason);
  void (*close)(Connection*);
};

}  // namespace andon::inspect::modbus_abi
