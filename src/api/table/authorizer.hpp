// SPDX-License-Identifier: Apache-2.0
// The one place where it is decided what a caller may do: on the operation's row (access_rows.hpp)
// for the table, on action and resource for S3. Denied by default; the refusal is AWS's sentence.
// Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/table/operation.hpp"
#include "base/json/fwd.hpp"
#include "base/time/time.hpp"
#include "control/iam/iam.hpp"
#include "fleet/names/arn.hpp"
#include "policy/language/context.hpp"
#include "policy/language/document.hpp"

namespace andon::control {
class Secrets;
}

namespace andon::api {

struct AccessRow;

// What an operation with this input is about, as its row says.
[[nodiscard]] std::vector<std::string> resources_of(const AccessRow& row,
                                                    const base::json::object& input,
                                                    const Caller& caller, const fleet::Arns& arns,
                                                    const control::Iam& iam,
                                                    const control::Secrets* secrets = nullptr);

// What the policy of a resource (a bucket) has to say beside the caller's own.
struct ResourcePolicy {
  const policy::Document* document = nullptr;  // null: there is none
  // Whether it may let somebody in who has not signed.
  bool lets_in_strangers = false;
};

class Authorizer {
 public:
  // All must outlive it. `secrets` knows the ARNs of secrets; null: there are none.
  Authorizer(const control::Iam& iam, const base::Clock& clock, const fleet::Arns& arns,
             const control::Secrets* secrets = nullptr)
      : iam_(iam), clock_(clock), arns_(arns), secrets_(secrets) {}

  // The sentence that refuses it, or nothing where the caller may.
  [[nodiscard]] std::optional<std::string> refusal(const Caller& caller, const Operation& operation,
                                                   const base::json::object& input) const;
  // The same for one action on one resource; `keys` are conditions' keys of this call (s3:prefix).
  [[nodiscard]] std::optional<std::string> refusal(const Caller& caller, std::string_view action,
                                                   const std::string& resource,
                                                   const policy::Context& keys = {},
                                                   const ResourcePolicy& of_resource = {}) const;
  // What the caller's own policies say.
  [[nodiscard]] control::Ruling decide(const Caller& caller, std::string_view action,
                                       const std::string& resource,
                                       const policy::Context& keys = {}) const;
  // "User: arn:... is not authorized to perform: x on resource: y because ...".
  [[nodiscard]] std::string sentence(const Caller& caller, std::string_view action,
                                     const std::string& resource, const std::string& because) const;
  // What the operation with this input is about.
  [[nodiscard]] std::vector<std::string> resources(const Caller& caller, const Operation& operation,
                                                   const base::json::object& input) const;
  // Nothing for a device.
  [[nodiscard]] std::optional<control::Principal> principal(const Caller& caller) const;
  // Keys of the request: aws:SourceIp, aws:CurrentTime ... and, where it is known, of who asks.
  [[nodiscard]] policy::Context keys_of(const Caller& caller) const;

 private:
  const control::Iam& iam_;
  const base::Clock& clock_;
  const fleet::Arns& arns_;
  const control::Secrets* const secrets_;
};

// For who has no Authorizer (tests): nobody but the account itself may.
[[nodiscard]] std::optional<std::string> refusal(const Authorizer* authorizer, const Caller& caller,
                                                 const Operation& operation,
                                                 const base::json::object& input);
[[nodiscard]] std::optional<std::string> refusal(const Authorizer* authorizer, const Caller& caller,
                                                 std::string_view action,
                                                 const std::string& resource,
                                                 const policy::Context& keys = {},
                                                 const ResourcePolicy& of_resource = {});

}  // namespace andon::api
