// SPDX-License-Identifier: Apache-2.0
// The values of a template's parameters, checked against what it says of them, and the pseudo
// parameters. Pure; any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "stacks/language/template.hpp"

namespace andon::stacks {

// What a template's AWS::... stand for.
struct Place {
  std::string account;
  std::string region;
  std::string stack_name;
  std::string stack_id;
};

struct ParameterValues {
  json::object values;  // by name, and the pseudo parameters; a list is an array of texts
  // As they were given, or the defaults: what is kept and shown.
  std::map<std::string, std::string> texts;
  // Those that nobody uses and that have no value here, with the reason.
  std::map<std::string, std::string> left_out;
};

using Stored = std::function<std::optional<std::string>(const std::string& name)>;

// Throws invalid_argument for a value that is missing, unknown or not allowed. `stored` reads the
// parameter store.
[[nodiscard]] ParameterValues parameter_values(const Template& read,
                                               const std::map<std::string, std::string>& given,
                                               const Place& place, const Stored& stored);

}  // namespace andon::stacks
