// SPDX-License-Identifier: Apache-2.0
#include "edge/budget/volume_meter.hpp"

#include <algorithm>
#include <limits>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr milliseconds kSlotMs = VolumeMeter::kSlot;
constexpr std::size_t kMostSlots = 1 + VolumeMeter::kDay / VolumeMeter::kSlot;
constexpr std::int64_t kMostBytes = std::int64_t{1} << 60;
constexpr std::int64_t kMostMs = std::int64_t{1} << 50;

// As the number of the newest slot that is no more within the span.
std::int64_t last_outside(milliseconds time, minutes span) {
  return (time - span) / kSlotMs - (time < span ? 2 : 1);
}

}  // namespace

VolumeMeter::VolumeMeter(std::string_view kept, const Now& now) : begin_(now) {
  const json::value document = base::parse_json(kept, "the kept volume");
  const base::JsonReader reader(document, "the kept volume:");
  const auto number = [&](std::string_view key) {
    const auto found = reader.optional_integer(key, 0, kMostMs);
    if (!found) reader.fail(key, "is missing");
    return milliseconds(*found);
  };
  const bool same_boot = reader.string("bootId") == now.boot_id && !now.boot_id.empty();
  const milliseconds gone_by =
      same_boot ? now.since_boot - number("sinceBootMs")
                : milliseconds(base::to_epoch_millis(now.wall)) - number("wallMs");
  offset_ = number("timeMs") + std::max(gone_by, milliseconds{0});
  for (const base::JsonReader& one : reader.children("slots")) {
    const Slot slot{
        one.integer("slot"),
        static_cast<std::uint64_t>(one.optional_integer("bytes", 0, kMostBytes).value_or(0))};
    const bool in_order = slots_.empty() || slots_.back().number < slot.number;
    if (!in_order || slot.number > offset_ / kSlotMs || slots_.size() == kMostSlots) {
      reader.fail("slots", "are not as they are written");
    }
    slots_.push_back(slot);
  }
}

std::string VolumeMeter::to_text(const Now& now) const {
  json::array slots;
  for (const Slot& slot : slots_) {
    slots.push_back(json::object{{"slot", slot.number}, {"bytes", slot.bytes}});
  }
  return base::to_text(
      json::object{{"bootId", now.boot_id},
                   {"sinceBootMs", now.since_boot.count()},
                   {"wallMs", std::max<std::int64_t>(0, base::to_epoch_millis(now.wall))},
                   {"timeMs", time(now).count()},
                   {"slots", std::move(slots)}});
}

milliseconds VolumeMeter::time(const Now& now) const {
  return offset_ + std::max(now.since_boot - begin_.since_boot, milliseconds{0});
}

void VolumeMeter::add(std::uint64_t bytes, const Now& now) {
  const milliseconds at = time(now);
  const std::int64_t gone = last_outside(at, kDay);
  while (!slots_.empty() && slots_.front().number <= gone) slots_.pop_front();
  const std::int64_t number = at / kSlotMs;
  if (slots_.empty() || slots_.back().number != number) slots_.push_back({number, 0});
  std::uint64_t& sum = slots_.back().bytes;
  sum += std::min(bytes, static_cast<std::uint64_t>(kMostBytes) - sum);
}

std::uint64_t VolumeMeter::in_last(minutes span, const Now& now) const {
  const std::int64_t gone = last_outside(time(now), span);
  std::uint64_t sum = 0;
  for (const Slot& slot : slots_) {
    if (slot.number > gone)
      sum += std::min(slot.bytes, std::numeric_limits<std::uint64_t>::max() - sum);
  }
  return sum;
}

milliseconds VolumeMeter::until_fits(std::uint64_t bytes, std::uint64_t limit, minutes span,
                                     const Now& now) const {
  const std::uint64_t room = limit - std::min(bytes, limit);
  const milliseconds at = time(now);
  const std::int64_t gone = last_outside(at, span);
  std::uint64_t sum = in_last(span, now);
  for (const Slot& slot : slots_) {
    if (slot.number <= gone) continue;
    if (sum <= room) break;
    sum -= slot.bytes;
    const milliseconds out = kSlotMs * (slot.number + 1) + span;
    if (sum <= room) return std::max(out - at, milliseconds{1});
  }
  return milliseconds{0};
}

}  // namespace andon::edge
