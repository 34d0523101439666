// SPDX-License-Identifier: Apache-2.0
// What the jobs of an execution write, for `andon workflow logs --jobs`: taken from the server as
// far as it has come, printed by whole lines. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/json/json.hpp"

namespace andon::cli {

class JobLogs {
 public:
  // {"from", "next", "text", "ended"} of a job, from a byte on.
  using Ask = std::function<base::json::object(const std::string& id, std::uint64_t from)>;
  // `line` gets the state's name and a line, without its end, fit for a terminal.
  using Line = std::function<void(const std::string& state, const std::string& line)>;
  JobLogs(Ask ask, Line line) : ask_(std::move(ask)), line_(std::move(line)) {}

  // An event of the execution's history, in their order: begins to follow the job that it tells of.
  void note(const base::json::object& event);
  // Takes what has come.
  void take();

 private:
  struct Job {
    std::string id;
    std::string state;
    std::uint64_t next = 0;
    std::string rest;  // a line without an end yet
    bool has_ended = false;
  };
  void take(Job& job);

  Ask ask_;
  Line line_;
  std::string state_;  // entered last
  std::vector<Job> jobs_;
};

}  // namespace andon::cli
