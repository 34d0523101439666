// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/log_printer.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <thread>

namespace andon::cli {
namespace {

namespace json = base::json;

constexpr std::chrono::milliseconds kGlance{500};
// Lines may be stored a little later than one that is younger.
constexpr std::int64_t kOverlapMs = 10'000;

}  // namespace

void LogPrinter::print_new() {
  json::object request = request_;
  if (newest_ > 0) request["startTime"] = std::max<std::int64_t>(0, newest_ - kOverlapMs);
  while (true) {
    const json::object page = ask_(request);
    for (const json::value& event : page.at("events").as_array()) print(event.as_object());
    const auto* next = page.if_contains("nextToken");
    if (next == nullptr) break;
    request["nextToken"] = *next;
  }
  std::cout.flush();
  // Of what is asked for again, no more need be known.
  std::erase_if(seen_, [this](const auto& one) { return one.second < newest_ - kOverlapMs; });
}

void LogPrinter::follow() {
  while (true) {
    std::this_thread::sleep_for(kGlance);
    print_new();
  }
}

void LogPrinter::print(const json::object& event) {
  const auto time = event.at("timestamp").to_number<std::int64_t>();
  if (!seen_.emplace(event.at("eventId").as_string(), time).second) return;
  newest_ = std::max(newest_, time);
  std::cout << show_(std::string(event.at("message").as_string())) << '\n';
}

}  // namespace andon::cli
