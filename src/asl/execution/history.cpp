// SPDX-License-Identifier: Apache-2.0
#include "asl/execution/history.hpp"

#include "base/json/json_append.hpp"
#include "base/text/utf8.hpp"

namespace andon::asl {
namespace {

using base::append_json_string;

// As to_json does it, but for the values between: an execution's events are most of what is
// written.
class EventWriter {
 public:
  std::string write(const std::vector<HistoryEvent>& events) {
    text_ += '[';
    for (const HistoryEvent& event : events) {
      if (text_.size() > 1) text_ += ',';
      write(event);
    }
    text_ += ']';
    return base::is_utf8(text_) ? std::move(text_) : base::to_valid_utf8(text_);
  }

 private:
  void write(const HistoryEvent& event) {
    text_ += R"({"timestamp":)";
    base::append_json(text_, base::to_epoch_seconds(event.time));
    member("type", event.type);
    text_ += R"(,"id":)";
    base::append_json_number(text_, event.id);
    text_ += R"(,"previousEventId":)";
    base::append_json_number(text_, event.previous);
    if (!event.details.empty()) {
      text_ += ',';
      append_json_string(text_, event.details);
      text_ += ":{";
      write_details(event);
      text_ += '}';
    }
    text_ += '}';
  }

  void write_details(const HistoryEvent& event) {
    const std::size_t begin = text_.size();
    const auto name = [&](std::string_view key) {
      if (text_.size() > begin) text_ += ',';
      append_json_string(text_, key);
      text_ += ':';
    };
    for (const auto& [key, value] : event.members) {
      name(key);
      base::append_json(text_, value);
    }
    constexpr std::string_view kWhole = R"({"truncated":false})";
    for (const auto& [key, data] : event.texts) {
      name(key);
      write_data(data);
      if (key != "input" && key != "output") continue;
      name(key + "Details");
      text_ += kWhole;
    }
    if (event.assigned.empty()) return;
    name("assignedVariables");
    char before = '{';
    for (const auto& [variable, data] : event.assigned) {
      text_ += std::exchange(before, ',');
      append_json_string(text_, variable);
      text_ += ':';
      write_data(data);
    }
    text_ += '}';
    name("assignedVariablesDetails");
    text_ += kWhole;
  }

  void member(std::string_view key, std::string_view value) {
    text_ += ',';
    append_json_string(text_, key);
    text_ += ':';
    append_json_string(text_, value);
  }

  // What one state gives is what the next one gets, so that it is made into text once.
  void write_data(const Data& data) {
    if (data != last_) {
      last_text_.clear();
      append_json_string(last_text_, base::to_text(*data));
      last_ = data;
    }
    text_ += last_text_;
  }

  std::string text_;
  Data last_;
  std::string last_text_;
};

}  // namespace

std::string to_text(const std::vector<HistoryEvent>& events) {
  return EventWriter().write(events);
}

json::value to_json(const HistoryEvent& event) {
  json::object result{{"timestamp", base::to_epoch_seconds(event.time)},
                      {"type", event.type},
                      {"id", event.id},
                      {"previousEventId", event.previous}};
  if (event.details.empty()) return result;
  json::object details = event.members;
  const json::object whole{{"truncated", false}};
  for (const auto& [key, data] : event.texts) {
    details[key] = base::to_text(*data);
    if (key == "input" || key == "output") details[key + "Details"] = whole;
  }
  if (!event.assigned.empty()) {
    json::object variables;
    for (const auto& [name, data] : event.assigned) variables[name] = base::to_text(*data);
    details["assignedVariables"] = std::move(variables);
    details["assignedVariablesDetails"] = whole;
  }
  result[event.details] = std::move(details);
  return result;
}

}  // namespace andon::asl
