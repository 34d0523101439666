// SPDX-License-Identifier: Apache-2.0
// A policy document (IAM's JSON policy language): read with limits, its patterns compiled.
// Immutable after that; any thread. Errors are base::Error(invalid_argument) with the place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/fwd.hpp"
#include "policy/language/condition.hpp"
#include "policy/language/pattern.hpp"

namespace andon::policy {

inline constexpr std::size_t kMostBytes = 20U << 10U;

enum class Effect : std::uint8_t { allow, deny };

// What a policy is attached to decides what its statements have.
enum class DocumentKind : std::uint8_t {
  identity,  // of a user, group, role or session: no Principal, but a Resource
  trust,     // who may take a role: a Principal, no Resource
  resource,  // of a bucket ...: both
};

// Who a statement of a trust or resource policy is about.
struct PrincipalPattern {
  enum class Kind : std::uint8_t { everybody, aws, service, federated };
  Kind kind = Kind::everybody;
  std::string text;  // an ARN, an account, a service's name, an identity provider
};

struct Statement {
  std::string sid;
  Effect effect = Effect::allow;
  bool is_not_action = false;
  bool is_not_resource = false;
  bool is_not_principal = false;
  std::vector<Pattern> actions;    // "service:Action", compared without case
  std::vector<Pattern> resources;  // of a trust policy: none
  std::vector<PrincipalPattern> principals;
  std::vector<Condition> conditions;
};

class Document {
 public:
  // `text` is JSON; `kind` says what a statement must and must not have.
  [[nodiscard]] static Document parse(std::string_view text, DocumentKind kind);

  [[nodiscard]] const std::vector<Statement>& statements() const { return statements_; }
  [[nodiscard]] const std::string& text() const { return text_; }  // as it was given

 private:
  std::string text_;
  std::vector<Statement> statements_;
};

}  // namespace andon::policy
