// SPDX-License-Identifier: Apache-2.0
#include "api/audit/call_audit.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "api/table/catalogue/access_rows.hpp"
#include "base/json/json.hpp"
#include "base/text/split.hpp"
#include "wire/aws/sigv4.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using control::AuditAccess;
using control::AuditOutcome;

// Of what has no row.
constexpr std::array<std::string_view, 3> kReading{"Get", "List", "Head"};

constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;

const json::value* find(const json::value& value, std::string_view key) {
  const auto* object = value.if_object();
  return object == nullptr ? nullptr : object->if_contains(key);
}

// The id of the access key that IAM and STS answer with.
std::string made_key(const json::value& output) {
  for (const auto* holder : {"Credentials", "AccessKey"}) {
    const json::value* inner = find(output, holder);
    const json::value* id = inner == nullptr ? nullptr : find(*inner, "AccessKeyId");
    if (id != nullptr && id->is_string()) return std::string(id->as_string());
  }
  return {};
}

// The key that a request names, whether or not it is believed.
std::string claimed_key(const wire::HttpRequest& request) {
  try {
    const auto claim = wire::read_claim(request);
    return claim ? claim->access_key_id : std::string();
  } catch (const base::Error&) {
    return {};
  }
}

}  // namespace

AuditAccess access_of(std::string_view service, std::string_view operation) {
  const AccessRow* const row = find_access_row(service, operation);
  const bool is_reading =
      row != nullptr ? !row->changes : std::ranges::any_of(kReading, [&](std::string_view word) {
        return operation.starts_with(word);
      });
  return is_reading ? AuditAccess::read : AuditAccess::write;
}

std::string address_of(const wire::HttpRequest& request) {
  const std::string_view peer = request.peer_address;
  return std::string(base::trim(peer.substr(0, peer.rfind(':')), "[]"));
}

CallAudit::CallAudit(control::AuditLog* log, std::string_view via, std::string request_id)
    : log_(log) {
  if (log_ == nullptr) return;
  event_.time = log_->now();
  event_.via = via;
  event_.request_id = std::move(request_id);
}

CallAudit::CallAudit(control::AuditLog* log, std::string_view via, std::string request_id,
                     const wire::HttpRequest& request)
    : CallAudit(log, via, std::move(request_id)) {
  if (log_ == nullptr) return;
  event_.address = address_of(request);
  event_.user_agent = request.headers.find("User-Agent").value_or("");
  event_.access_key_id = claimed_key(request);
}

void CallAudit::set_operation(std::string_view service, std::string_view operation,
                              AuditAccess access) {
  if (log_ == nullptr) return;
  event_.service = service;
  event_.operation = operation;
  event_.access = access;
}

void CallAudit::set_caller(const Caller& caller, const Authorizer* authorizer) {
  if (log_ == nullptr) return;
  event_.access_key_id = caller.access_key_id;
  event_.principal = caller.principal;
  event_.region = caller.region;
  const auto known = authorizer == nullptr ? std::nullopt : authorizer->principal(caller);
  if (!known) {
    event_.name = caller.principal.substr(caller.principal.find('/') + 1);
    return;
  }
  event_.principal_arn = known->arn;
  event_.name = known->kind == control::Principal::Kind::account ? "root" : known->name;
  if (known->kind == control::Principal::Kind::role_session) {
    event_.session = caller.principal.substr(caller.principal.rfind('/') + 1);
  }
}

void CallAudit::add_resource(std::string resource) {
  if (log_ == nullptr) return;
  if (std::ranges::find(event_.resources, resource) != event_.resources.end()) return;
  event_.resources.push_back(std::move(resource));
}

void CallAudit::set_resources(std::vector<std::string> resources) {
  if (log_ != nullptr) event_.resources = std::move(resources);
}

void CallAudit::set_detail(std::string detail) {
  if (log_ != nullptr) event_.detail = std::move(detail);
}

void CallAudit::set_input(const json::object& input) {
  if (log_ == nullptr) return;
  const AccessRow* const row = find_access_row(event_.service, event_.operation);
  if (row == nullptr) return;
  for (const std::string_view member : base::split_words(row->audited, " ")) {
    const json::value* const found = input.if_contains(member);
    if (found == nullptr || !found->is_string() || found->get_string().empty()) continue;
    if (!event_.decision.empty()) event_.decision += ": ";
    event_.decision += found->get_string();
  }
}

void CallAudit::set_made_key(std::string access_key_id) {
  event_.made_access_key_id = std::move(access_key_id);
}

void CallAudit::begin() {
  if (log_ == nullptr) return;
  if (event_.access == AuditAccess::write) log_->require_writable();
  has_begun_ = true;
}

void CallAudit::succeeded() {
  is_over_ = true;
  event_.outcome = AuditOutcome::ok;
}

void CallAudit::succeeded(const json::object& input, const json::value& output) {
  succeeded();
  if (log_ == nullptr || (event_.service != "iam" && event_.service != "sts")) return;
  event_.made_access_key_id = made_key(output);
  const AccessRow* const row = find_access_row(event_.service, event_.operation);
  if (row == nullptr || row->session.empty()) return;
  const json::value* const session = input.if_contains(row->session);
  if (session != nullptr && session->is_string()) {
    event_.detail = "session " + std::string(session->as_string());
  }
}

void CallAudit::failed(int http_status, std::string_view code) {
  is_over_ = true;
  const bool is_denied =
      http_status == kUnauthorized || http_status == kForbidden || code.starts_with("AccessDenied");
  event_.outcome = is_denied ? AuditOutcome::denied : AuditOutcome::error;
  event_.error_code = code;
}

bool CallAudit::must_be_on_disk() const {
  return log_ != nullptr && is_over_ && has_begun_ && event_.access == AuditAccess::write &&
         !event_.principal.empty() && event_.outcome != AuditOutcome::denied;
}

void CallAudit::record_without_waiting() {
  if (log_ == nullptr || !is_over_) return;
  is_over_ = false;
  was_recorded_ = true;
  const bool is_of_device = event_.via == control::audit_via::kDevice;
  const bool is_refusal = event_.principal.empty() || event_.outcome == AuditOutcome::denied ||
                          (is_of_device && event_.outcome == AuditOutcome::error);
  if (is_refusal) {
    log_->note_refusal(std::move(event_));
  } else {
    log_->note(std::move(event_));
  }
}

void CallAudit::record() {
  if (!must_be_on_disk()) return record_without_waiting();
  is_over_ = false;
  was_recorded_ = true;
  log_->write(std::move(event_));
}

void CallAudit::record_then(control::AuditLog::Done then) {
  if (!must_be_on_disk()) {
    record_without_waiting();
    then(nullptr);
    return;
  }
  is_over_ = false;
  was_recorded_ = true;
  try {
    log_->submit(std::move(event_), then);
  } catch (const base::Error&) {
    then(std::current_exception());
  }
}

}  // namespace andon::api
