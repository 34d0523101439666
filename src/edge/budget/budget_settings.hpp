// SPDX-License-Identifier: Apache-2.0
// Room: budget. What may go over a thin link, and when. This is what the configuration of
// aws.greengrass.Nucleus says of it (member andonLinkBudget). Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"

namespace andon::edge {

// `uploads`: pictures of components, and what people elsewhere have asked for (fleet/command).
enum class LinkUse : std::uint8_t { downloads, uploads, exports, logs };
inline constexpr std::size_t kLinkUses = 4;
inline constexpr std::array<std::string_view, kLinkUses> kLinkUseNames = {"downloads", "uploads",
                                                                          "exports", "logs"};

// Each day from `from` until before `to`, in minutes of the device's local day; over midnight where
// `to` is not behind `from`.
struct LinkWindow {
  int from = 0;
  int to = 0;
  std::array<bool, kLinkUses> uses{};

  [[nodiscard]] bool holds(int minute) const;
  bool operator==(const LinkWindow&) const = default;
};

struct BudgetSettings {
  // 0: no limit.
  std::uint64_t bytes_per_second = 0;
  std::uint64_t bytes_per_hour = 0;
  std::uint64_t bytes_per_day = 0;
  std::array<LinkUse, kLinkUses> order = {LinkUse::downloads, LinkUse::uploads, LinkUse::exports,
                                          LinkUse::logs};
  // A use that is in none of them may go at any time.
  std::vector<LinkWindow> windows;

  [[nodiscard]] bool has_volume() const { return bytes_per_hour != 0 || bytes_per_day != 0; }
  // How many minutes from `minute` of the day on the use has to wait for a window; 0: none.
  [[nodiscard]] int minutes_closed(LinkUse use, int minute) const;
  bool operator==(const BudgetSettings&) const = default;
};

struct ReadBudgetSettings {
  BudgetSettings settings;
  std::vector<std::string> problems;  // what is left out, and why
};
// Of the nucleus' configuration; null: it has none.
[[nodiscard]] ReadBudgetSettings read_budget_settings(const base::json::object* nucleus);

[[nodiscard]] std::string minute_text(int minute);  // 22:00

}  // namespace andon::edge
