// SPDX-License-Identifier: Apache-2.0
#include "inspect/uploads/link_share.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"

namespace andon::inspect {
namespace {

constexpr std::chrono::milliseconds kAskAgain{1'000};
constexpr std::int64_t kLongestMs = 3'600'000;

}  // namespace

std::chrono::milliseconds LinkShare::reserve(std::uint64_t bytes) {
  if (!has_budget_) return {};
  base::json::object answer;
  try {
    answer = agent_.call("ReserveLink", {{"bytes", bytes}});
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::unsupported) throw;
    has_budget_ = false;
    base::log_info("this agent has no budget of the link for uploads", {{"why", error.message()}});
    return {};
  }
  const base::JsonReader reader(answer, "answer to ReserveLink");
  const bool is_reserved = reader.optional_bool("reserved").value_or(false);
  std::string why = is_reserved ? "" : reader.optional_string("reason").value_or("");
  if (why != why_) {
    base::log_info(why.empty() ? "uploads go on" : "uploads wait for the device's link",
                   {{"why", why}});
    why_ = std::move(why);
  }
  if (is_reserved) return {};
  const auto wait = reader.optional_integer("askAgainMilliseconds", 1, kLongestMs);
  return wait ? std::chrono::milliseconds(*wait) : kAskAgain;
}

}  // namespace andon::inspect
