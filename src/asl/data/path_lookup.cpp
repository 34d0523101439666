// SPDX-License-Identifier: Apache-2.0
#include "asl/data/path_lookup.hpp"

#include "asl/data/failure.hpp"

namespace andon::asl {

Data document_of(const query::JsonPath& path, const Scope& scope) {
  switch (path.root()) {
    case query::PathRoot::input:
      return scope.input.get();
    case query::PathRoot::context:
      if (scope.context != nullptr) return scope.context->whole();
      throw failure(kRuntime, "There is no context object here");
    case query::PathRoot::variable:
      break;
  }
  if (const Data* found = scope.find_variable(path.variable())) return *found;
  throw failure(kRuntime, "The variable '$" + path.variable() + "' has not been assigned a value");
}

namespace {

std::optional<Data> found_by(const query::JsonPath& path, const Scope& scope) {
  if (path.root() == query::PathRoot::context && scope.context != nullptr) {
    return scope.context->find(path);
  }
  return path.evaluate(document_of(path, scope));
}

}  // namespace

std::optional<Data> look_up(const query::JsonPath& path, const Scope& scope) {
  try {
    return found_by(path, scope);
  } catch (const query::PathError& error) {
    throw failure(kRuntime, error.what());
  }
}

Data insert_at(const query::JsonPath& path, const json::value& input, const json::value& result) {
  if (auto output = path.insert(input, result)) return make_data(*std::move(output));
  throw failure(kResultPathMatchFailure, "Unable to apply ReferencePath " + path.text() +
                                             " to input " + base::to_text(input));
}

Data require(const query::JsonPath& path, const Scope& scope, std::string_view field) {
  if (auto found = look_up(path, scope)) return *std::move(found);
  const Data document = document_of(path, scope);
  throw failure(kRuntime, "The JSONPath '" + path.text() + "' specified for the field '" +
                              std::string(field) + "' could not be found in the input '" +
                              base::to_text(*document) + "'");
}

}  // namespace andon::asl
