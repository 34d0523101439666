// SPDX-License-Identifier: Apache-2.0
// What is kept of a stack. Values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"

namespace andon::control {

struct Stack {
  std::string id;  // ARN
  std::string name;
  std::string status;  // CREATE_COMPLETE ...
  std::string reason;
  std::string description;
  std::string template_text;
  std::map<std::string, std::string> parameters;
  std::map<std::string, std::string> tags;
  std::vector<std::string> capabilities;
  base::json::array outputs;
  base::json::array left_out;
  base::json::object work;  // empty: nothing is being done
  bool is_protected = false;
  base::Timestamp created;
  std::optional<base::Timestamp> updated = {};
  std::optional<base::Timestamp> deleted = {};

  [[nodiscard]] bool is_in_progress() const {
    return status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS";
  }
};

struct StackResource {
  std::string logical_id;
  std::int64_t ordinal = 0;   // above 0: was replaced, and is yet to be removed
  std::int64_t position = 0;  // rises in the order of making
  std::string type;
  std::string physical_id;  // empty: nobody knows yet
  std::string status;
  std::string reason;
  base::json::object properties;
  base::json::object attributes;
  std::vector<std::string> depends_on;
  std::string on_removal = "Delete";
  std::int64_t generation = 0;
  base::Timestamp updated;

  // It stands, as far as anybody knows, and is as its properties say.
  [[nodiscard]] bool is_complete() const {
    return status == "CREATE_COMPLETE" || status == "UPDATE_COMPLETE";
  }
};

struct StackEvent {
  std::int64_t number = 0;
  std::string event_id;
  std::string logical_id;
  std::string physical_id;
  std::string type;
  std::string status;
  std::string reason;
  std::string token;
  base::Timestamp at;
};

struct StackExport {
  std::string name;
  std::string stack_id;
  std::string value;
};

struct ChangeSet {
  std::string id;  // ARN
  std::string stack_id;
  std::string name;
  std::string status;
  std::string reason;
  std::string execution;
  base::json::object request;
  base::json::array changes;
  base::Timestamp created;
};

}  // namespace andon::control
