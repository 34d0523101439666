// SPDX-License-Identifier: Apache-2.0
// Reads the fields in which states say what is computed: paths, payloads, settings, assignments.
// Checks each and compiles it in one go; what is malformed is reported and stands as absent.
// Internal to asl; lives for the reading of one state.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "asl/definition/machine.hpp"
#include "asl/definition/problems.hpp"

namespace andon::asl {

class FieldReader {
 public:
  enum class PathKind : std::uint8_t { any, reference };
  // What $states has where an expression stands, beside input and context.
  enum class Place : std::uint8_t { plain, after_result, in_catch };
  // What a literal must be, and between which limits.
  struct Number {
    std::int64_t least = 0;
    std::int64_t most = 99'999'999;
    bool may_be_fraction = false;
  };

  // `at` is the place of the state. Each `prefix` below is the way from there to the object that
  // holds the field ("Catch[0]/").
  FieldReader(QueryLanguage language, std::string at, Problems& problems)
      : language_(language), at_(std::move(at)), problems_(problems) {}

  [[nodiscard]] QueryLanguage language() const { return language_; }
  [[nodiscard]] bool jsonata() const { return language_ == QueryLanguage::jsonata; }
  [[nodiscard]] const std::string& at() const { return at_; }

  std::optional<query::JsonPath> path(const json::object& object, std::string_view key,
                                      PathKind kind, const std::string& prefix = "");
  // InputPath, OutputPath or ResultPath.
  DataPath data_path(const json::object& object, std::string_view key,
                     const std::string& prefix = "");
  std::optional<Payload> payload(const json::object& object, std::string_view key,
                                 Place where = Place::plain, const std::string& prefix = "");
  std::shared_ptr<const QueryExpression> expression(std::string_view text, const std::string& field,
                                                    Place where = Place::plain);
  Assignments assignments(const json::object& object, Place where, const std::string& prefix = "");

  // The field `key`, or what its twin `key`Path leads to; not both.
  Setting number(const json::object& object, std::string_view key, const Number& wanted,
                 const std::string& prefix = "");
  Setting text(const json::object& object, std::string_view key, PathKind twin);
  Setting timestamp(const json::object& object, std::string_view key);

 private:
  void problem(std::string message, const std::string& field);
  void only_one(const json::object& object, std::string_view key, const std::string& prefix);
  // Sets `setting` to what the path in `key`Path leads to, where that is given.
  void read_twin(Setting& setting, const json::object& object, std::string_view key, PathKind kind,
                 const std::string& prefix);
  // Whether the field is an expression, which `setting` then is.
  bool read_expression(Setting& setting, const json::value& value, const std::string& field);

  QueryLanguage language_;
  std::string at_;
  Problems& problems_;
};

}  // namespace andon::asl
