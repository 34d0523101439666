// SPDX-License-Identifier: Apache-2.0
#include "cli/workflow/history.hpp"
#include "cli/terminal/table.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/text/escape.hpp"
#include "base/time/time.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

constexpr std::size_t kMostShown = 200;

// The event's own object of details; null where it has none.
const json::object* details_of(const json::object& event) {
  for (const auto& member : event) {
    if (member.key().ends_with("EventDetails")) return member.value().if_object();
  }
  return nullptr;
}

}  // namespace

std::string event_line(const json::value& value) {
  const json::object& event = value.as_object();
  const auto millis =
      static_cast<std::int64_t>(std::llround(event.at("timestamp").to_number<double>() * 1000));
  std::string line = fmt::format("{}  {:>5}  {}", base::to_iso8601(base::from_epoch_millis(millis)),
                                 event.at("id").to_number<std::int64_t>(), text_of(event, "type"));
  const json::object* details = details_of(event);
  if (details == nullptr) return line;
  for (const char* key : {"name", "resourceType", "resource", "error", "cause", "output"}) {
    std::string text = plain_text_of(*details, key);
    if (text.empty()) continue;
    if (text.size() > kMostShown) {
      text.resize(kMostShown);
      text.append("...");
    }
    // What a task or a function said must not steer the terminal.
    line.append("  ").append(base::escape_line(text));
  }
  return line;
}

asl::ProgressByState progress_of(const json::array& events, std::string_view status) {
  asl::ProgressByState progress;
  for (const json::value& one : events) {
    const json::object& event = one.as_object();
    const std::string type = text_of(event, "type");
    const json::object* details = details_of(event);
    if (details == nullptr) continue;
    const std::string name = plain_text_of(*details, "name");
    if (type.ends_with("StateEntered")) progress[name] = asl::Progress::running;
    if (type.ends_with("StateExited")) progress[name] = asl::Progress::succeeded;
  }
  if (status == "RUNNING") return progress;
  // Where it stood when it ended.
  for (auto& [name, state] : progress) {
    if (state == asl::Progress::running) state = asl::Progress::failed;
  }
  return progress;
}

}  // namespace andon::cli
