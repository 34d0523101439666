// SPDX-License-Identifier: Apache-2.0
// A schedule expression in a zone, and the file of a zone: the bytes before and after a line feed.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error/error.hpp"
#include "base/schedule/expression.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  std::shared_ptr<const andon::base::Zone> zone;
  try {
    if (end != std::string_view::npos) {
      zone =
          std::make_shared<const andon::base::Zone>(andon::base::Zone::parse(text.substr(end + 1)));
    }
  } catch (const andon::base::Error&) {
  }
  try {
    const andon::base::ScheduleExpression schedule(text.substr(0, end), zone);
    const auto now = andon::base::from_epoch_millis(1'795'341'600'000);
    (void)schedule.next(now, now);
  } catch (const andon::base::Error&) {
  }
  return 0;
}
