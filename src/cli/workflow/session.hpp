// SPDX-License-Identifier: Apache-2.0
// Room: workflow. A server's state machines from the command line. A Session is the server that one
// command talks to, and how it names things there. One thread.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include "base/json/json.hpp"
#include "cli/terminal/server_choice.hpp"

namespace andon::cli {

namespace json = base::json;

class Session {
 public:
  explicit Session(const ServerChoice& choice) : server_(choice) {}

  json::object call(std::string_view operation, json::object input) {
    json::value answer = server_->states(operation, input);
    return std::move(answer.as_object());
  }
  json::object logs(std::string_view operation, json::object input) {
    json::value answer = server_->logs(operation, input);
    return std::move(answer.as_object());
  }
  // A machine by its name or its ARN.
  [[nodiscard]] std::string machine(const std::string& what) const {
    return what.starts_with("arn:") ? what : arn("stateMachine:" + what);
  }
  // An execution by MACHINE:NAME or its ARN.
  [[nodiscard]] std::string execution(const std::string& what) const {
    return what.starts_with("arn:") ? what : arn("execution:" + what);
  }
  [[nodiscard]] std::string log_group(const std::string& name) const {
    return fmt::format("arn:aws:logs:{}:{}:log-group:{}:*", server_.connection().region, kAccount,
                       name);
  }
  json::object job_log(const std::string& id, std::uint64_t from) {
    return server_->rest("andon", "GET", fmt::format("/andon/v1/jobs/{}/log?from={}", id, from))
        .as_object();
  }
  // All pages of a list.
  json::array all(std::string_view operation, json::object input, std::string_view list) {
    json::array found;
    while (true) {
      json::object page = call(operation, input);
      for (json::value& item : page.at(list).as_array()) found.push_back(std::move(item));
      const auto* next = page.if_contains("nextToken");
      if (next == nullptr || !next->is_string()) return found;
      input["nextToken"] = *next;
    }
  }
  json::object wait_for_end(const std::string& arn) {
    while (true) {
      json::object told = call("DescribeExecution", {{"executionArn", arn}});
      if (told.at("status").as_string() != "RUNNING") return told;
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }

 private:
  static constexpr std::string_view kAccount = "000000000000";
  [[nodiscard]] std::string arn(const std::string& rest) const {
    return fmt::format("arn:aws:states:{}:{}:{}", server_.connection().region, kAccount, rest);
  }

  ServerClient server_;
};

}  // namespace andon::cli
