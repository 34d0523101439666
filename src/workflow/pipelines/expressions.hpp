// SPDX-License-Identifier: Apache-2.0
// Expressions of a pipeline's definition: {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"},
// {"Std:Join": ...}, {"Std:JsonGet": ...}, and the conditions made of them. Pure but for what the
// scope looks up; any thread. Throws base::Error(invalid_argument).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json/json.hpp"

namespace andon::workflow {

namespace json = base::json;

// "A.B[0]['c d']" as its parts.
using PathPart = std::variant<std::string, std::size_t>;
[[nodiscard]] std::vector<PathPart> parse_path(std::string_view text);
// Below `value`; a text in brackets names the element of a list whose ...Name is that, too. Null:
// it is not there.
[[nodiscard]] const json::value* find_path(const json::value& value,
                                           const std::vector<PathPart>& path, std::size_t from = 0);

// "Steps.Train.ModelArtifacts" is {"Steps", "Train", {"ModelArtifacts"}}.
struct Reference {
  enum class Root { parameter, execution, step };
  Root root = Root::parameter;
  std::string name;            // of the parameter, the execution's property, the step
  std::vector<PathPart> path;  // of a step's property
};
[[nodiscard]] Reference parse_reference(std::string_view text);

// What references stand for. Each may throw base::Error.
struct ExpressionScope {
  std::function<json::value(const std::string&)> parameter;
  std::function<json::value(const std::string&)> execution;
  std::function<json::value(const std::string& step)> properties;  // of one that has ended
  // The content of a property file.
  std::function<json::value(const std::string& step, const std::string& file)> file;
};

// The value with every expression replaced by what it stands for.
[[nodiscard]] json::value evaluate(const json::value& value, const ExpressionScope& scope);
// Conditions all of which must hold.
[[nodiscard]] bool holds(const json::array& conditions, const ExpressionScope& scope);

// Calls `seen` with each reference in the value ("Steps.Check.PropertyFiles.report" of a JsonGet,
// too), and checks the form of every expression and path.
void visit_references(const json::value& value, const std::function<void(const Reference&)>& seen);
// The same for conditions, whose forms are checked.
void check_conditions(const json::array& conditions,
                      const std::function<void(const Reference&)>& seen);

}  // namespace andon::workflow
