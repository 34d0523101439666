// SPDX-License-Identifier: Apache-2.0
// Room: decision. What policies say to a request.
// A PolicySet is what one principal has: compiled once, so that a decision looks only at statements
// that can be about the action. Pure; immutable after construction, any thread.
// An explicit Deny decides; then an Allow; else it is denied.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policy/language/context.hpp"
#include "policy/language/document.hpp"

namespace andon::policy {

// A policy and why it counts: for explanations.
struct NamedPolicy {
  std::string name;    // "arn:aws:iam::...:policy/x", or the name of an inline one
  std::string source;  // "user eva", "group line-3", "role deployer", "session"
  std::shared_ptr<const Document> document;
};

enum class Verdict : std::uint8_t { allowed, denied_explicitly, denied_implicitly };

struct Decision {
  Verdict verdict = Verdict::denied_implicitly;
  // The statement that decided; null and 0 where none did.
  std::shared_ptr<const NamedPolicy> policy;
  std::size_t statement = 0;  // from 0

  [[nodiscard]] bool is_allowed() const { return verdict == Verdict::allowed; }
};

struct Request {
  std::string_view action;    // "greengrass:CreateDeployment"
  std::string_view resource;  // an ARN, or "*" where the action has none
  const Context& context;
};

class PolicySet {
 public:
  PolicySet() = default;
  explicit PolicySet(std::vector<std::shared_ptr<const NamedPolicy>> policies);

  [[nodiscard]] Decision decide(const Request& request) const;
  [[nodiscard]] const std::vector<std::shared_ptr<const NamedPolicy>>& policies() const {
    return policies_;
  }

 private:
  // A statement, and what tells it apart without looking at it: it lies somewhere else.
  struct Entry {
    const Statement* statement;
    std::uint32_t policy;
    std::uint32_t number;  // of the statement
    Effect effect;
    std::uint32_t literal_size;  // in literals_: a part that its only resource has; 0: none
    std::size_t literal_at;
  };
  enum class Named : std::uint8_t { surely, perhaps };  // whether candidates are about the action
  struct First {
    std::uint32_t deny;
    std::uint32_t allow;
  };
  void consider(const std::vector<std::uint32_t>& candidates, Named named, const Request& request,
                First& first) const;

  std::vector<std::shared_ptr<const NamedPolicy>> policies_;
  std::vector<Entry> entries_;  // every statement, in the order of the policies
  std::string literals_;
  // Indices of entries: by an action written out, in lower case; by a service, where the action has
  // wildcards; and what may be about any action.
  std::map<std::string, std::vector<std::uint32_t>, std::less<>> by_action_;
  std::map<std::string, std::vector<std::uint32_t>, std::less<>> by_service_;
  std::vector<std::uint32_t> others_;
};

// Who asks, for the Principal of trust and resource policies.
struct Asker {
  enum class Kind : std::uint8_t { principal, service, federated, anonymous };
  Kind kind = Kind::principal;
  std::string arn;       // of the user, the session; a service's name; an identity provider
  std::string role_arn;  // of a session; else empty
  std::string account;   // 12 digits
};

struct ResourceDecision {
  Verdict verdict = Verdict::denied_implicitly;
  std::size_t statement = 0;
  // Allowed, but only as far as the asker's own policies allow it too: the account was named.
  bool is_delegated = false;
};

// What a trust or resource policy says. A trust policy has no resource, and asks for none.
[[nodiscard]] ResourceDecision decide(const Document& policy, const Asker& asker,
                                      const Request& request);

}  // namespace andon::policy
