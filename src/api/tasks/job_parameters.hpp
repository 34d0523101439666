// SPDX-License-Identifier: Apache-2.0
// The Parameters of arn:andon:states:::job:run.sync, read and checked. Pure; any thread.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/json/json.hpp"
#include "job/order/order.hpp"

namespace andon::api {

struct ObjectName {
  std::string bucket;
  std::string key;
};

struct JobInput {
  std::string path;                               // below /job
  std::variant<ObjectName, std::string> content;  // an object, or this text
};
enum class Presence { required, optional };
struct JobOutput {
  std::string path;
  ObjectName object;
  Presence presence = Presence::required;
};

struct JobParameters {
  job::JobOrder order;  // command, limits, times, ports
  std::vector<JobInput> inputs;
  std::vector<JobOutput> outputs;
};

// Throws base::Error(invalid_argument) that names the member.
[[nodiscard]] JobParameters read_job_parameters(const base::json::value& parameters);

}  // namespace andon::api
