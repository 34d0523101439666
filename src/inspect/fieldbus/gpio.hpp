// SPDX-License-Identifier: Apache-2.0
// A line of a GPIO chip of this machine, as output or as input. Belongs to one thread at a time;
// throws unavailable with the kernel's reason, and failed_precondition where the module is missing.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "inspect/fieldbus/gpio_abi.hpp"
#include "inspect/modules/module.hpp"

namespace andon::inspect {

struct GpioPlace {
  std::string chip;  // "gpiochip0", its label, or /dev/gpiochip0
  std::uint32_t line = 0;
  bool is_active_low = false;
  bool operator==(const GpioPlace&) const = default;
};
[[nodiscard]] std::string to_string(const GpioPlace& place);  // "gpiochip0 line 17"

using GpioEdge = gpio_abi::Edge;

class GpioLine {
 public:
  explicit GpioLine(GpioPlace place);
  GpioLine(const GpioLine&) = delete;
  GpioLine& operator=(const GpioLine&) = delete;
  ~GpioLine();

  [[nodiscard]] bool is_open() const { return line_ != nullptr; }
  void open_output(bool value);
  void open_input(GpioEdge edge);
  void close();
  // Only where it is open.
  void set(bool value);
  // When there was an edge; nothing where there was none so long.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> wait(
      std::chrono::milliseconds time);

 private:
  [[noreturn]] void fail(std::string_view what, const ModuleReason& reason);

  GpioPlace place_;
  const gpio_abi::Functions& functions_;
  gpio_abi::Line* line_ = nullptr;
};

}  // namespace andon::inspect
