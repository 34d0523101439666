// SPDX-License-Identifier: Apache-2.0
// Room: language. The language in which infrastructure is written down: CloudFormation's templates,
// in JSON or YAML (with !Ref and the other short forms).
// A template, read and checked as far as it can be without values. Values; pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"

namespace andon::stacks {

namespace json = base::json;

struct Parameter {
  std::string name;
  std::string type;
  std::optional<json::value> standard;  // Default
  std::vector<std::string> allowed;     // AllowedValues; empty: any
  std::string pattern;                  // AllowedPattern; empty: any
  std::optional<double> least;          // MinValue
  std::optional<double> most;           // MaxValue
  std::optional<std::int64_t> shortest;
  std::optional<std::int64_t> longest;
  std::string description;
  std::string constraint;  // ConstraintDescription
  bool is_secret = false;  // NoEcho
};

// What becomes of a resource that the stack no longer has, or that is replaced.
enum class Policy : std::uint8_t { remove, retain, retain_except_on_create };

struct Resource {
  std::string id;    // the logical id
  std::string type;  // "AWS::S3::Bucket"
  json::object properties;
  std::vector<std::string> depends_on;
  std::string condition;  // empty: always
  Policy on_removal = Policy::remove;
  Policy on_replacement = Policy::remove;
};

struct Output {
  std::string id;
  json::value value;
  std::optional<json::value> export_name;
  std::string condition;
  std::string description;
};

// In the order of the document.
struct Template {
  std::string description;
  std::vector<Parameter> parameters;
  json::object mappings;
  json::object conditions;
  std::vector<Resource> resources;
  std::vector<Output> outputs;
  std::vector<std::string> rules;  // their names
  std::vector<std::string> transforms;
  json::object document;

  [[nodiscard]] const Resource* find_resource(std::string_view id) const;
  [[nodiscard]] const Parameter* find_parameter(std::string_view name) const;
};

inline constexpr std::size_t kMostTemplateBytes = 1U << 20U;
inline constexpr std::size_t kMostResources = 500;
inline constexpr std::size_t kMostParameters = 200;
inline constexpr std::size_t kMostOutputs = 200;

// The document as JSON, its short forms written out. Throws invalid_argument with line and column.
[[nodiscard]] json::value parse_document(std::string_view text, std::string_view what);
// Throws invalid_argument that names the place and what to do, and unsupported for parts of the
// language that are not here (macros).
[[nodiscard]] Template read_template(const json::value& document, std::string_view what);
[[nodiscard]] Template read_template(std::string_view text, std::string_view what);

}  // namespace andon::stacks
