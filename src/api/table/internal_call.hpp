// SPDX-License-Identifier: Apache-2.0
// Calls of the operation table from within the server - by a state machine, a function, a schedule
// - as the role that was given for them: the caller is a session of that role, and each call is
// authorized on the operation's row, its members checked, as over HTTP. Any thread.
//
//   const Caller caller = calls.as_role({.role_arn = ..., .session = "nightly",
//                                        .service = control::kStatesService});
//   json::value output = calls.call(caller, "iot", "DescribeThing", {{"thingName", "line-3"}});
//
// Refusals and errors are what the operation throws: ServiceError, base::Error and what translate()
// (service_errors.hpp) makes of it; a denial is a ServiceError(AccessDeniedException).
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "base/json/json.hpp"
#include "control/iam/role_sessions.hpp"
#include "policy/language/context.hpp"

namespace andon::api {

class InternalCalls {
 public:
  // Null where the table has no such row; rows outlive this.
  using Find =
      std::function<const Operation*(std::string_view service, std::string_view operation)>;
  // What was asked and what came of it: `failure` is null where it was done. Must not throw.
  struct Seen {
    const Caller& caller;
    std::string_view service;
    std::string_view operation;  // or the action, of what is no row of the table ("s3:GetObject")
    std::string_view resource;   // of such an action; else empty
    const base::json::object* input = nullptr;  // of an operation of the table
    std::exception_ptr failure = {};
  };
  using Observer = std::function<void(const Seen&)>;

  // All that is referred to must outlive it.
  InternalCalls(const control::Iam& iam, const Authorizer& authorizer, const base::Clock& clock,
                const fleet::Arns& arns, Find find);
  // Sees each call when it is over. Before the first call.
  void set_observer(Observer observer) { observer_ = std::move(observer); }
  // Asked before an operation that is allowed begins; what it throws is the answer. Before the
  // first call.
  void set_gate(std::function<void(const Operation&)> gate) { gate_ = std::move(gate); }

  // A session of a role. Throws ServiceError(AccessDeniedException) where there is no such role, or
  // it does not trust the service.
  [[nodiscard]] Caller as_role(const control::RoleUse& use) const;
  // Whether as_role() would give a caller; else why not.
  [[nodiscard]] std::optional<std::string> role_problem(const control::RoleUse& use) const;

  [[nodiscard]] const Operation* find(std::string_view service, std::string_view operation) const;
  // The output. An operation that waits (Operation::later) is a defect here: internal.
  [[nodiscard]] base::json::value call(const Caller& caller, std::string_view service,
                                       std::string_view operation,
                                       const base::json::object& input) const;
  // The same by callback, for each operation: the answer comes once, from any thread, perhaps
  // before this returns. Does not throw. The observer must live until it has come.
  void call(const Caller& caller, const Operation& operation, const base::json::object& input,
            const Answer& answer) const;

  // For what is no row of the table (objects, jobs): throws ServiceError(AccessDeniedException)
  // unless the caller may do `action` on `resource`.
  void require(const Caller& caller, std::string_view action, const std::string& resource,
               const policy::Context& keys = {}) const;
  // The same for what is done as an operation of the table would, without calling it.
  void require_operation(const Caller& caller, std::string_view service, std::string_view operation,
                         const base::json::object& input) const;

 private:
  void check(const Caller& caller, const Operation& operation,
             const base::json::object& input) const;
  void tell(const Seen& seen) const {
    if (observer_) observer_(seen);
  }

  const control::Iam& iam_;
  const Authorizer& authorizer_;
  const base::Clock& clock_;
  const fleet::Arns& arns_;
  const Find find_;
  Observer observer_;
  std::function<void(const Operation&)> gate_;
};

// Throws internal for an operation that is not in the tables of actions and of honoured members.
void require_rows(const std::vector<Operation>& operations);

// Whether the caller may hand `role_arn` to `service` (iam:PassRole on the role, with the condition
// keys iam:PassedToService and iam:AssociatedResourceArn): throws
// ServiceError(AccessDeniedException) else. For operations that take a roleArn: state machines,
// functions, schedules.
void require_pass_role(const Authorizer* authorizer, const Caller& caller, Protocol protocol,
                       const std::string& role_arn, std::string_view service,
                       const std::string& for_resource = {});

}  // namespace andon::api
