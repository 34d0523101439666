// SPDX-License-Identifier: Apache-2.0
#include "inspect/fieldbus/gpio.hpp"

#include "base/error/error.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;

namespace {

constexpr ModuleName kModule{
    "andon-inspect-gpio.so", gpio_abi::kEntry, gpio_abi::kVersion,
    "GPIO needs andon-inspect-gpio.so beside this program, and the Debian package libgpiod2"};

}  // namespace

std::string to_string(const GpioPlace& place) {
  return fmt::format("{} line {}", place.chip, place.line);
}

GpioLine::GpioLine(GpioPlace place)
    : place_(std::move(place)), functions_(functions_of<gpio_abi::Functions>(kModule)) {}

GpioLine::~GpioLine() {
  close();
}

void GpioLine::close() {
  if (line_ != nullptr) functions_.close(line_);
  line_ = nullptr;
}

void GpioLine::fail(std::string_view what, const ModuleReason& reason) {
  close();
  throw Error(ErrorCode::unavailable,
              fmt::format("GPIO {}: {}: {}", to_string(place_), what, reason.string()));
}

void GpioLine::open_output(bool value) {
  close();
  ModuleReason reason;
  line_ = functions_.open_output(place_.chip.c_str(), place_.line, place_.is_active_low ? 1 : 0,
                                 value ? 1 : 0, reason.text());
  if (line_ == nullptr) fail("cannot be had as an output", reason);
}

void GpioLine::open_input(GpioEdge edge) {
  close();
  ModuleReason reason;
  line_ = functions_.open_input(place_.chip.c_str(), place_.line, place_.is_active_low ? 1 : 0,
                                edge, reason.text());
  if (line_ == nullptr) fail("cannot be had as an input", reason);
}

void GpioLine::set(bool value) {
  ModuleReason reason;
  if (functions_.set(line_, value ? 1 : 0, reason.text()) != 0) fail("was not set", reason);
}

std::optional<std::chrono::steady_clock::time_point> GpioLine::wait(
    std::chrono::milliseconds time) {
  using Clock = std::chrono::steady_clock;
  ModuleReason reason;
  std::int64_t at_ns = 0;
  const int edge = functions_.wait(line_, static_cast<int>(time.count()), &at_ns, reason.text());
  if (edge < 0) fail("cannot be watched", reason);
  if (edge == 0) return std::nullopt;
  const Clock::time_point now = Clock::now();
  const Clock::time_point at{std::chrono::nanoseconds{at_ns}};
  // Kernels before 5.7 tell the time of the day.
  constexpr std::chrono::seconds kPlausible{10};
  return at <= now && now - at < kPlausible ? at : now;
}

}  // namespace andon::inspect
