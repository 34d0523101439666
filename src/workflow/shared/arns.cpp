// SPDX-License-Identifier: Apache-2.0
#include "workflow/shared/arns.hpp"

#include <algorithm>
#include <vector>

#include "base/text/ascii.hpp"
#include "workflow/shared/refusal.hpp"

namespace andon::workflow {
namespace {

constexpr std::size_t kFixedParts = 6;  // arn:aws:states:REGION:ACCOUNT:KIND
constexpr std::size_t kMostNameLength = 80;

Refusal invalid_arn(const std::string& why) {
  return {"InvalidArn", "Invalid Arn: '" + why + "'"};
}

// The parts behind the account: the kind first.
std::vector<std::string> resource_of(const std::string& arn) {
  if (!arn.starts_with("arn:")) throw invalid_arn("Invalid ARN prefix: " + arn);
  std::vector<std::string> parts;
  std::size_t from = 0;
  while (true) {
    const std::size_t at = arn.find(':', from);
    parts.push_back(arn.substr(from, at == std::string::npos ? at : at - from));
    if (at == std::string::npos) break;
    from = at + 1;
  }
  if (parts.size() <= kFixedParts) throw invalid_arn("Invalid ARN: " + arn);
  if (parts[2] != "states") throw invalid_arn("Invalid ARN: " + arn);
  parts.erase(parts.begin(), parts.begin() + kFixedParts - 1);
  if (std::ranges::any_of(parts, &std::string::empty)) throw invalid_arn("Invalid ARN: " + arn);
  return parts;
}

Refusal wrong_kind(const std::string& kind) {
  return invalid_arn("Resource type not valid in this context: " + kind);
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string Arns::make(std::string_view rest) const {
  return "arn:aws:states:" + region_ + ":" + account_ + ":" + std::string(rest);
}
std::string Arns::machine(std::string_view name) const {
  return make("stateMachine:" + std::string(name));
}
std::string Arns::activity(std::string_view name) const {
  return make("activity:" + std::string(name));
}
std::string Arns::execution(std::string_view machine, std::string_view name) const {
  return make("execution:" + std::string(machine) + ":" + std::string(name));
}
std::string Arns::express(std::string_view machine, std::string_view name,
                          std::string_view run) const {
  return make("express:" + std::string(machine) + ":" + std::string(name) + ":" + std::string(run));
}

bool MachineArn::is_version() const {
  return is_digits(qualifier);
}

MachineArn read_machine_arn(const std::string& arn) {
  const auto parts = resource_of(arn);
  if (parts[0] != "stateMachine") throw wrong_kind(parts[0]);
  if (parts[1].find('/') != std::string::npos) {
    throw Refusal("ValidationException",
                  "Unsupported state machine ARN: labeled state machine ARNs are not supported",
                  "API_DOES_NOT_SUPPORT_LABELED_ARNS");
  }
  if (parts.size() > 3) throw invalid_arn("Invalid ARN: " + arn);
  MachineArn result{arn, parts[1], parts.size() == 3 ? parts[2] : ""};
  if (!result.qualifier.empty()) {
    result.unqualified.resize(arn.size() - result.qualifier.size() - 1);
  }
  return result;
}

ExecutionArn read_execution_arn(const std::string& arn) {
  const auto parts = resource_of(arn);
  if (parts[0] == "execution" && parts.size() == 3) {
    return {ExecutionKind::standard, parts[1], parts[2]};
  }
  if (parts[0] == "express" && parts.size() == 4) {
    return {ExecutionKind::express, parts[1], parts[2]};
  }
  if (parts[0] == "execution" || parts[0] == "express") throw invalid_arn("Invalid ARN: " + arn);
  throw wrong_kind(parts[0]);
}

void check_standard_execution_arn(const std::string& arn) {
  if (read_execution_arn(arn).kind == ExecutionKind::express) throw wrong_kind("express");
}

void check_activity_arn(const std::string& arn) {
  const auto parts = resource_of(arn);
  if (parts[0] != "activity") throw wrong_kind(parts[0]);
  if (parts.size() != 2) throw invalid_arn("Invalid ARN: " + arn);
}

std::string machine_of_map_run(const std::string& arn) {
  const auto parts = resource_of(arn);
  if (parts[0] != "mapRun") throw wrong_kind(parts[0]);
  if (parts.size() != 3) throw invalid_arn("Invalid ARN: " + arn);
  return parts[1];
}

void check_map_run_arn(const std::string& arn) {
  (void)machine_of_map_run(arn);
}

void check_name(const std::string& name) {
  constexpr std::string_view kForbidden = " ?*<>{}[]\"#%\\^|~`$&,;:/";
  const bool fits =
      !name.empty() && name.size() <= kMostNameLength && std::ranges::none_of(name, [&](char c) {
        return base::is_control(c) || kForbidden.find(c) != std::string_view::npos;
      });
  if (!fits) throw Refusal("InvalidName", "Invalid Name: '" + name + "'");
}

void check_alias_name(const std::string& name) {
  if (name.size() > kMostNameLength || is_digits(name) || !base::is_name_of(name, "_-.")) {
    throw Refusal("InvalidName", "Invalid Name: '" + name + "'");
  }
}

}  // namespace andon::workflow
