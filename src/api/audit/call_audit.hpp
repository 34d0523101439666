// SPDX-License-Identifier: Apache-2.0
// One call on its way into the audit log: filled while it is looked at, recorded when it is over.
// A change is refused before it begins where it could not be recorded, and is on the disk before
// its answer goes out; what changes nothing follows within a second, what was refused is bounded
// (control/audit/audit_log.hpp). Without a log it does nothing. Lives within one call; one thread
// at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "base/error/error.hpp"
#include "base/json/fwd.hpp"
#include "control/audit/audit_log.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

// A change where its row says what it changes ("greengrass", "CreateDeployment"); of what has no
// row (S3), what does not begin as S3's reading operations do.
[[nodiscard]] control::AuditAccess access_of(std::string_view service, std::string_view operation);

// "127.0.0.1:50100", "[::1]:50100" -> the address alone.
[[nodiscard]] std::string address_of(const wire::HttpRequest& request);

class CallAudit {
 public:
  // `log` may be null.
  CallAudit(control::AuditLog* log, std::string_view via, std::string request_id);
  CallAudit(control::AuditLog* log, std::string_view via, std::string request_id,
            const wire::HttpRequest& request);

  void set_operation(std::string_view service, std::string_view operation,
                     control::AuditAccess access);
  // Who asks; `authorizer`, where there is one, knows users and roles by their names.
  void set_caller(const Caller& caller, const Authorizer* authorizer);
  void add_resource(std::string resource);
  void set_resources(std::vector<std::string> resources);
  void set_detail(std::string detail);
  // Of the input what the operation's row says (AccessRow::audited), for most nothing: a decision
  // on a model with its reason is still known where another one has taken its place in the
  // registry.
  void set_input(const base::json::object& input);
  void set_made_key(std::string access_key_id);

  // The call is allowed and begins. Throws unavailable for a change that could not be recorded.
  void begin();
  // For who asked log.require_writable() itself.
  void was_begun() { has_begun_ = true; }
  void succeeded();
  // The same for an operation of the table: keys that it gave out are named, and the session.
  void succeeded(const base::json::object& input, const base::json::value& output);
  void failed(int http_status, std::string_view code);
  // Once. Where succeeded() or failed() was called. Throws unavailable for a change whose entry is
  // not on the disk.
  void record();
  // The same without waiting: `then` is called once, perhaps within this call.
  void record_then(control::AuditLog::Done then);
  [[nodiscard]] bool was_recorded() const { return was_recorded_; }

 private:
  [[nodiscard]] bool must_be_on_disk() const;
  void record_without_waiting();

  control::AuditLog* log_;
  control::AuditEvent event_;
  bool has_begun_ = false;
  bool is_over_ = false;
  bool was_recorded_ = false;
};

}  // namespace andon::api
