// SPDX-License-Identifier: Apache-2.0
// Between andon-inspect and andon-inspect-gpio.so, which is opened only where the line is told or
// tells by a line of a GPIO chip. Plain C types; the version is checked.
#pragma once

#include <cstdint>

#include "inspect/modules/module_text.hpp"

namespace andon::inspect::gpio_abi {

inline constexpr int kVersion = 1;
inline constexpr const char* kEntry = "andon_inspect_gpio";

struct Line;
enum class Edge : int { rising, falling, both };

struct Functions {
  int version;
  // Null and a reason where the line cannot be had. `value` is what it shows at first.
  Line* (*open_output)(const char* chip, unsigned offset, int is_active_low, int value,
                       ModuleText reason);
  Line* (*open_input)(const char* chip, unsigned offset, int is_active_low, Edge edge,
                      ModuleText reason);
  // 0, or -1 and a reason.
  int (*set)(Line*, int value, ModuleText reason);
  // 1: an edge, and when (the kernel's monotonic clock); 0: none so long; -1 and a reason.
  int (*wait)(Line*, int timeout_ms, std::int64_t* at_ns, ModuleText reason);
  void (*close)(Line*);
};

}  // namespace andon::inspect::gpio_abi
