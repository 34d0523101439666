// SPDX-License-Identifier: Apache-2.0
#include "cli/demo/follow.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <set>
#include <utility>

#include "base/json/json_reader.hpp"
#include "base/text/escape.hpp"

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

// What one job has written so far, line by line.
class JobLines {
 public:
  JobLines(DemoContext& demo, std::string id) : demo_(demo), id_(std::move(id)) {}

  // True when there is no more to come.
  bool show_new() {
    while (true) {
      const json::value part =
          demo_.aws->rest("andon", "GET", fmt::format("/andon/v1/jobs/{}/log?from={}", id_, next_));
      const JsonReader reader(part, "job's log");
      rest_ += reader.string("text");
      const auto next = static_cast<std::uint64_t>(reader.integer("next"));
      const bool is_over = reader.optional_bool("ended").value_or(false);
      show(is_over);
      const bool has_more = next != next_;
      next_ = next;
      if (is_over || !has_more) return is_over;
    }
  }

 private:
  void show(bool is_over) {
    if (is_over && !rest_.empty() && rest_.back() != '\n') rest_ += '\n';
    std::size_t begin = 0;
    for (std::size_t end = rest_.find('\n'); end != std::string::npos;
         begin = end + 1, end = rest_.find('\n', begin)) {
      const std::string line = rest_.substr(begin, end - begin);
      if (line.empty()) continue;
      demo_.terminal.detail("            | " + base::escape_line(line.substr(0, kLineShown)));
    }
    rest_.erase(0, begin);
  }

  DemoContext& demo_;
  std::string id_;
  std::uint64_t next_ = 0;
  std::string rest_;
};

class Follower {
 public:
  Follower(DemoContext& demo, std::string execution)
      : demo_(demo), execution_(std::move(execution)) {}

  void show_new() {
    json::object input{{"executionArn", execution_}, {"maxResults", 1000}};
    while (true) {
      const json::value page = demo_.aws->states("GetExecutionHistory", input);
      for (const json::value& event : page.at("events").as_array()) show(event);
      const json::value* next = page.as_object().if_contains("nextToken");
      if (next == nullptr) break;
      input["nextToken"] = *next;
    }
    show_job();
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
    if (type == "TaskSubmitted") take_job(event.at("taskSubmittedEventDetails"));
    // Ways that are chosen and time that is waited are no work.
    if (type != "TaskStateEntered" && type != "MapStateEntered") return;
    last_task_ = member(event.at("stateEnteredEventDetails"), "name");
    if (!seen_.insert(last_task_).second) return;
    show_job();  // the end of what came before
    demo_.terminal.detail(fmt::format("{:6.2f} s  {}", at - began_, base::escape_line(last_task_)));
  }

  void take_job(const json::value& details) {
    if (member(details, "resourceType") != "job") return;
    show_job();
    const json::value submitted = base::parse_json(member(details, "output"), "the job");
    job_ = std::make_unique<JobLines>(demo_, member(submitted, "JobId"));
  }

  void show_job() {
    if (job_ && job_->show_new()) job_.reset();
  }

  DemoContext& demo_;
  std::string execution_;
  std::int64_t last_ = 0;
  double began_ = 0;
  std::set<std::string> seen_;
  std::string last_task_;
  std::unique_ptr<JobLines> job_;
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
