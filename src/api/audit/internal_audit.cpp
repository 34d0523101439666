// SPDX-License-Identifier: Apache-2.0
#include "api/audit/internal_audit.hpp"

#include <string>
#include <utility>

#include "api/audit/call_audit.hpp"
#include "api/table/service_errors.hpp"
#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/id.hpp"

namespace andon::api {
namespace {

constexpr int kDefect = 500;

void note_failure(CallAudit& audit, std::string_view service, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const ServiceError& error) {
    audit.failed(error.http_status(), error.code());
  } catch (const base::Error& error) {
    const ServiceError translated = translate(service, error);
    audit.failed(translated.http_status(), translated.code());
  } catch (const std::exception&) {
    audit.failed(kDefect, "InternalFailure");
  }
}

// "s3:GetObject" of what is no row of the table.
std::string_view name_of(const InternalCalls::Seen& seen) {
  return seen.operation.substr(seen.operation.find(':') + 1);
}

void record(control::AuditLog& log, const Authorizer& authorizer, const InternalCalls::Seen& seen) {
  CallAudit audit(&log, control::audit_via::kWorkflow, base::random_uuid());
  const std::string_view name = name_of(seen);
  audit.set_operation(seen.service, name, access_of(seen.service, name));
  audit.set_caller(seen.caller, &authorizer);
  audit.set_detail(seen.caller.user_agent);
  if (!seen.resource.empty()) {
    audit.add_resource(std::string(seen.resource));
  } else if (seen.input != nullptr) {
    const Operation row{seen.service, name, Protocol::rest_json, "", "", 0, {}};
    audit.set_resources(authorizer.resources(seen.caller, row, *seen.input));
    audit.set_input(*seen.input);
  }
  if (seen.failure) {
    note_failure(audit, seen.service, seen.failure);
  } else {
    audit.succeeded();
  }
  audit.was_begun();
  audit.record();
}

}  // namespace

void record_internal_calls(InternalCalls& calls, control::AuditLog& log,
                           const Authorizer& authorizer, ToldOfChange changed) {
  calls.set_gate([&log](const Operation& operation) {
    if (access_of(operation.service, operation.name) == control::AuditAccess::write) {
      log.require_writable();
    }
  });
  calls.set_observer([&log, &authorizer,
                      changed = std::move(changed)](const InternalCalls::Seen& seen) {
    const std::string_view name = name_of(seen);
    if (changed && !seen.failure && access_of(seen.service, name) == control::AuditAccess::write) {
      changed(seen.service, name);
    }
    try {
      record(log, authorizer, seen);
    } catch (const std::exception& error) {
      // The call is made; the entry waits for the disk, and further changes are refused.
      base::log_error("a call within the server is not in the audit log yet",
                      {{"operation", std::string(seen.operation)}, {"error", error.what()}});
    }
  });
}

}  // namespace andon::api
