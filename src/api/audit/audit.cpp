// SPDX-License-Identifier: Apache-2.0
#include "api/audit/audit.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "api/constraints/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "control/audit/audit_check.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::AuditLog;

constexpr PageLimits kList{.standard = 100, .maximum = 1000};
constexpr std::int64_t kVerifiedAtOnce = 10'000;
constexpr std::size_t kMostText = 1200;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

std::string short_text(const json::object& input, std::string_view key) {
  return bounded_text(input, key, kMostText);
}

// "iam:CreateUser", "CreateUser", "iam".
void read_action(const std::string& action, control::AuditFilter& filter) {
  const std::size_t colon = action.find(':');
  if (colon != std::string::npos) {
    filter.service = action.substr(0, colon);
    filter.operation = action.substr(colon + 1);
  } else if (!action.empty() && base::to_lower(action) == action) {
    filter.service = action;
  } else {
    filter.operation = action;
  }
}

control::AuditFilter read_filter(const json::object& input) {
  using control::AuditAccess;
  using control::AuditOutcome;
  control::AuditFilter filter{.who = short_text(input, "who"),
                              .service = {},
                              .operation = {},
                              .resource = short_text(input, "resource"),
                              .access_key_id = short_text(input, "accessKeyId"),
                              .outcome = {},
                              .access = {}};
  read_action(short_text(input, "action"), filter);
  const std::string outcome = word_or_empty(input, "outcome", {"ok", "denied", "error"});
  if (!outcome.empty()) {
    filter.outcome = outcome == "ok"       ? AuditOutcome::ok
                     : outcome == "denied" ? AuditOutcome::denied
                                           : AuditOutcome::error;
  }
  const std::string access = word_or_empty(input, "access", {"read", "write"});
  if (!access.empty()) filter.access = access == "read" ? AuditAccess::read : AuditAccess::write;
  if (const auto from = optional_time_ms(input, "from")) filter.from_ms = *from;
  if (const auto until = optional_time_ms(input, "until")) filter.until_ms = *until;
  return filter;
}

json::object described(const control::AuditEntry& entry) {
  return {{"eventId", entry.event_id()},
          {"hash", entry.hash},
          {"entry", base::parse_json(entry.content, "entry")}};
}

json::value read_log(const AuditLog& log, const OperationContext& context) {
  if (const auto sequence = optional_number(context.input, "sequence")) {
    json::array entries;
    if (const auto entry = log.find(*sequence)) entries.push_back(described(*entry));
    return json::object{{"entries", std::move(entries)}};
  }
  const control::PageRequest page = read_page(context.input, kList);
  control::AuditRead wanted{.filter = read_filter(context.input), .limit = page.limit};
  if (word_or_empty(context.input, "order", {"newest", "oldest"}) == "oldest") {
    wanted.order = control::AuditOrder::as_they_came;
  }
  if (!page.after.empty()) {
    wanted.place = read_audit_token(to_page_token(page.after));
    if (!wanted.place) {
      refuse("nextToken: is not one that this operation gave; start the list anew without it");
    }
  }
  const control::AuditPage found = log.list(wanted);
  json::array entries;
  for (const control::AuditEntry& entry : found.entries) {
    entries.push_back(described(entry));
  }
  json::object output{{"entries", std::move(entries)}};
  if (found.next) output["nextToken"] = to_audit_token(*found.next);
  return output;
}

json::value verify(const AuditLog& log, const OperationContext& context) {
  const std::int64_t from = optional_number(context.input, "fromSequence").value_or(0);
  if (from < 0) refuse("fromSequence: must not be negative");
  const control::AuditVerifier verifier(log.database(), log.key(), log.anchor_file());
  const auto step = verifier.step(from, kVerifiedAtOnce);
  json::array problems;
  for (const control::AuditProblem& problem : step.check.problems) {
    problems.push_back({{"sequence", problem.sequence}, {"problem", problem.what}});
  }
  json::object output{{"problems", std::move(problems)},
                      {"verified", step.check.verified},
                      {"firstSequence", step.check.first},
                      {"lastSequence", step.check.last},
                      {"lastHash", step.check.last_hash}};
  if (step.next != 0) output["nextSequence"] = step.next;
  return output;
}

}  // namespace

std::string to_audit_token(const control::AuditPlace& place) {
  return to_page_token(std::to_string(place.time_ms) + "|" + std::to_string(place.sequence));
}

std::optional<control::AuditPlace> read_audit_token(std::string_view token) {
  const auto text = from_page_token(token);
  if (!text) return std::nullopt;
  const auto parts = base::split(*text, '|');
  const auto time = base::parse_int64(parts.front());
  const auto sequence = base::parse_int64(parts.back());
  if (parts.size() != 2 || !time || !sequence) return std::nullopt;
  return control::AuditPlace{.time_ms = *time, .sequence = *sequence};
}

std::vector<Operation> audit_operations(const AuditLog& log, const fleet::Arns& arns) {
  using Work = json::value (*)(const AuditLog&, const OperationContext&);
  const auto row = [&log](std::string_view name, std::string_view path, Work work) {
    return own_row(name, "GET", path, std::ref(log), work);
  };
  return {row("ReadAuditLog", "/andon/v1/audit", read_log),
          row("VerifyAuditLog", "/andon/v1/audit-check", verify),
          lookup_events_operation(log, arns)};
}

}  // namespace andon::api
