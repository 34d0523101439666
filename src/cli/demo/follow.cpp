// SPDX-License-Identifier: Apache-2.0
#include "cli/demo/follow.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <set>
#include <utility>

#include "base/json/json_reader.hpp"
#include "base/text/escape.hpp"
#include "cli/workflow/job_logs.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;
namespace json = base::json;

constexpr std::chrono::milliseconds kLook{100};  // between two looks at the execution
constexpr std::size_t kLineShown = 110;

std::string member(const json::value& object, std::string_view key) {
  return std::string(object.at(key).as_string());
}

class Follower {
 public:
  Follower(DemoContext& demo, std::string execution)
      : demo_(demo),
        execution_(std::move(execution)),
        logs_(
            [this](const std::string& id, std::uint64_t from) {
              return demo_.aws
                  ->rest("andon", "GET", fmt::format("/andon/v1/jobs/{}/log?from={}", id, from))
                  .as_object();
            },
            [this](const std::string&, const std::string& line) {
              if (line.empty()) return;
              demo_.terminal.detail("            | " + line.substr(0, kLineShown));
            }) {}

  void show_new() {
    json::object input{{"executionArn", execution_}, {"maxResults", 1000}};
    while (true) {
      const json::value page = demo_.aws->states("GetExecutionHistory", input);
      for (const json::value& event : page.at("events").as_array()) show(event);
      const json::value* next = page.as_object().if_contains("nextToken");
      if (next == nullptr) break;
      input["nextToken"] = *next;
    }
    logs_.take();
  }

  [[nodiscard]] const std::string& last_task() const { return last_task_; }

 private:
  void show(const json::value& event) {
    const auto id = event.at("id").to_number<std::int64_t>();
    if (id <= last_) return;
    last_ = id;
    const auto at = event.at("timestamp").to_number<double>();
    if (id == 1) began_ = at;
    const std::string type = member(event, "type");
    if (type == "TaskSubmitted") logs_.take();  // the end of what came before
    logs_.note(event.as_object());
    // Ways that are chosen and time that is waited are no work.
    if (type != "TaskStateEntered" && type != "MapStateEntered") return;
    last_task_ = member(event.at("stateEnteredEventDetails"), "name");
    if (!seen_.insert(last_task_).second) return;
    logs_.take();  // the end of what came before
    demo_.terminal.detail(fmt::format("{:6.2f} s  {}", at - began_, base::escape_line(last_task_)));
  }

  DemoContext& demo_;
  std::string execution_;
  std::int64_t last_ = 0;
  double began_ = 0;
  std::set<std::string> seen_;
  std::string last_task_;
  JobLogs logs_;
};

}  // namespace

json::value follow_execution(DemoContext& demo, const std::string& execution,
                             const std::function<void(const std::string&)>& at_each_look) {
  Follower follower(demo, execution);
  json::value told;
  demo.wait_until("the end of the execution", [&] {
    demo.idle(kLook);
    demo.retry("cannot ask about the execution", [&] {
      told = demo.aws->states("DescribeExecution", {{"executionArn", execution}});
      follower.show_new();
    });
    if (at_each_look) at_each_look(follower.last_task());
    return member(told, "status") != "RUNNING";
  });
  return told;
}

json::value output_of(const json::value& told, const std::string& what) {
  const JsonReader end(told, "DescribeExecution");
  if (end.string("status") != "SUCCEEDED") {
    throw Error(
        ErrorCode::failed_precondition,
        fmt::format("{}: {}: {}", what, end.optional_string("error").value_or(end.string("status")),
                    end.optional_string("cause").value_or("")));
  }
  return base::parse_json(end.string("output"), "the execution's output");
}

}  // namespace andon::cli
