// SPDX-License-Identifier: Apache-2.0
#include "asl/path_lookup.hpp"

namespace andon::asl {

Data document_of(const JsonPath& path, const Scope& scope) {
  switch (path.root()) {
    case PathRoot::input:
      return scope.input;
    case PathRoot::context:
      if (scope.context != nullptr) return scope.context->whole();
      throw failure(kRuntime, "There is no context object here");
    case PathRoot::variable:
      break;
  }
  if (const Data* found = scope.find_variable(path.variable())) return *found;
  throw failure(kRuntime, "The variable '$" + path.variable() + "' has not been assigned a value");
}

std::optional<Data> look_up(const JsonPath& path, const Scope& scope) {
  if (path.root() == PathRoot::context && scope.context != nullptr) {
    return scope.context->find(path);
  }
  return path.evaluate(document_of(path, scope));
}

Data require(const JsonPath& path, const Scope& scope, std::string_view field) {
  if (auto found = look_up(path, scope)) return *std::move(found);
  const Data document = document_of(path, scope);
  throw failure(kRuntime, "The JSONPath '" + path.text() + "' specified for the field '" +
                              std::string(field) + "' could not be found in the input '" +
                              base::to_text(*document) + "'");
}

}  // namespace andon::asl
