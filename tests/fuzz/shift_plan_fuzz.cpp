// SPDX-License-Identifier: Apache-2.0
// When shifts begin, as PutShifts has it. A plan that is taken is written as it is read, and its
// shifts of two months follow one another.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "control/results/shifts.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostShifts = 12 * 62;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto document = andon::base::parse_json(text, "the plan");
    if (!document.is_object()) return 0;
    const auto plan = andon::control::read_shift_plan(document.get_object());
    const auto written = andon::control::to_json(plan);
    if (andon::control::to_json(andon::control::read_shift_plan(written)) != written) std::abort();
    // Over a change of clocks, where the zone has one.
    const auto from = andon::base::from_epoch_millis(1'792'000'000'000);
    const auto until = from + std::chrono::days(60);
    const auto spans = andon::control::shifts_between(plan, from, until, kMostShifts);
    for (std::size_t i = 0; i < spans.size(); ++i) {
      if (spans[i].begin >= spans[i].end) std::abort();
      if (i > 0 && spans[i].begin != spans[i - 1].end) std::abort();
    }
  } catch (const andon::base::Error&) {
  }
  return 0;
}
