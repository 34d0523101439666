// SPDX-License-Identifier: Apache-2.0
// andon-inspect-gpio.so: lines of GPIO chips by libgpiod 1, which Debian 12 has.
#include <gpiod.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "inspect/fieldbus/gpio_abi.hpp"

namespace abi = andon::inspect::gpio_abi;
using andon::inspect::ModuleText;

namespace andon::inspect::gpio_abi {

struct Line {
  gpiod_chip* chip = nullptr;
  gpiod_line* line = nullptr;
};

}  // namespace andon::inspect::gpio_abi

namespace {

constexpr const char* kConsumer = "andon-inspect";

void write_reason(ModuleText reason, int error) {
  std::snprintf(reason.text, reason.bytes, "%s", std::strerror(error));
}

void close_line(abi::Line* line) {
  if (line->chip != nullptr) gpiod_chip_close(line->chip);  // releases the line
  delete line;
}

abi::Line* find_line(const char* chip, unsigned offset, ModuleText reason) {
  auto* line = new abi::Line;
  line->chip = gpiod_chip_open_lookup(chip);
  if (line->chip != nullptr) line->line = gpiod_chip_get_line(line->chip, offset);
  if (line->line != nullptr) return line;
  write_reason(reason, errno);
  close_line(line);
  return nullptr;
}

abi::Line* unless_failed(abi::Line* line, int outcome, ModuleText reason) {
  if (outcome == 0) return line;
  write_reason(reason, errno);
  close_line(line);
  return nullptr;
}

int flags_of(int is_active_low) {
  return is_active_low != 0 ? int{GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW} : 0;
}

abi::Line* open_output(const char* chip, unsigned offset, int is_active_low, int value,
                       ModuleText reason) {
  abi::Line* line = find_line(chip, offset, reason);
  if (line == nullptr) return nullptr;
  return unless_failed(
      line, gpiod_line_request_output_flags(line->line, kConsumer, flags_of(is_active_low), value),
      reason);
}

abi::Line* open_input(const char* chip, unsigned offset, int is_active_low, abi::Edge edge,
                      ModuleText reason) {
  abi::Line* line = find_line(chip, offset, reason);
  if (line == nullptr) return nullptr;
  const int flags = flags_of(is_active_low);
  int outcome = -1;
  switch (edge) {
    case abi::Edge::rising:
      outcome = gpiod_line_request_rising_edge_events_flags(line->line, kConsumer, flags);
      break;
    case abi::Edge::falling:
      outcome = gpiod_line_request_falling_edge_events_flags(line->line, kConsumer, flags);
      break;
    case abi::Edge::both:
      outcome = gpiod_line_request_both_edges_events_flags(line->line, kConsumer, flags);
      break;
  }
  return unless_failed(line, outcome, reason);
}

int set_value(abi::Line* line, int value, ModuleText reason) {
  if (gpiod_line_set_value(line->line, value) == 0) return 0;
  write_reason(reason, errno);
  return -1;
}

int wait_for_edge(abi::Line* line, int timeout_ms, std::int64_t* at_ns, ModuleText reason) {
  constexpr long kMillis = 1000;
  constexpr long kNanos = 1'000'000'000;
  const timespec timeout{timeout_ms / kMillis, timeout_ms % kMillis * kMillis * kMillis};
  const int waited = gpiod_line_event_wait(line->line, &timeout);
  if (waited == 0) return 0;
  gpiod_line_event event{};
  if (waited < 0 || gpiod_line_event_read(line->line, &event) != 0) {
    write_reason(reason, errno);
    return -1;
  }
  *at_ns = std::int64_t{event.ts.tv_sec} * kNanos + event.ts.tv_nsec;
  return 1;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const abi::Functions* andon_inspect_gpio() {
  static const abi::Functions functions{abi::kVersion, open_output,   open_input,
                                        set_value,     wait_for_edge, close_line};
  return &functions;
}
