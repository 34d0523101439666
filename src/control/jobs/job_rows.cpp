// SPDX-License-Identifier: Apache-2.0
#include "control/jobs/job_rows.hpp"

#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::array<std::pair<IotJobState, std::string_view>, 5> kStates{
    {{IotJobState::scheduled, "SCHEDULED"},
     {IotJobState::in_progress, "IN_PROGRESS"},
     {IotJobState::canceled, "CANCELED"},
     {IotJobState::completed, "COMPLETED"},
     {IotJobState::deletion_in_progress, "DELETION_IN_PROGRESS"}}};
constexpr std::size_t kMostDescription = 2028;

}  // namespace

std::string_view to_string(IotJobState state) {
  for (const auto& [value, name] : kStates) {
    if (value == state) return name;
  }
  throw Error(ErrorCode::internal, "a job's state has no name");
}

std::optional<IotJobState> parse_iot_job_state(std::string_view text) {
  for (const auto& [value, name] : kStates) {
    if (name == text) return value;
  }
  return std::nullopt;
}

std::string_view to_string(TargetSelection selection) {
  return selection == TargetSelection::snapshot ? "SNAPSHOT" : "CONTINUOUS";
}

IotJob read_iot_job(const store::Row& row, const Arns& arns) {
  IotJob job;
  job.id = row.text(0);
  job.arn = arns.target("job/" + job.id);
  for (const Target& target : stored_targets(row.text(1))) {
    job.targets.push_back(arns.target(target.key()));
  }
  job.selection =
      row.text(2) == "CONTINUOUS" ? TargetSelection::continuous : TargetSelection::snapshot;
  job.plan = {row.text(3), row.text(4), row.text(5), stored_object(row.text(6))};
  job.template_arn = row.text(7);
  const auto state = parse_iot_job_state(row.text(8));
  if (!state) throw Error(ErrorCode::data_corrupted, "a stored job has no known state");
  job.state = *state;
  job.reason_code = row.text(9);
  job.comment = row.text(10);
  job.is_force_canceled = row.integer(11) != 0;
  job.created = stored_time(row.integer(12));
  job.updated = stored_time(row.integer(13));
  if (const auto completed = row.optional_integer(14)) job.completed = stored_time(*completed);
  job.is_rolling_out = row.integer(15) != 0;
  job.is_ended = row.integer(16) != 0;
  return job;
}

fleet::JobConfiguration configuration_of(const json::object& configuration) {
  return fleet::read_job_configuration(base::JsonReader(configuration, "", {.separator = ": "}));
}

fleet::JobSchedule schedule_of(const json::object& configuration) {
  const base::JsonReader reader(configuration, "", {.separator = ": "});
  return fleet::read_job_schedule(reader.child_or_empty("schedulingConfig"));
}

bool goes_on(IotJobState state) {
  return state == IotJobState::scheduled || state == IotJobState::in_progress;
}

std::vector<Target> require_targets(store::Transaction& tx, const std::vector<std::string>& arns) {
  if (arns.empty()) throw Error(ErrorCode::invalid_argument, "targets: is missing");
  if (arns.size() > kMostJobTargets) {
    throw Error(ErrorCode::invalid_argument, "targets: are more than 100");
  }
  std::vector<Target> targets;
  for (const std::string& arn : arns) {
    auto target = parse_target_arn(arn);
    if (!target) {
      throw Error(
          ErrorCode::invalid_argument,
          "targets: \"" + arn.substr(0, 200) + "\" must be the ARN of a thing or a thing group");
    }
    if (target->kind == Target::Kind::thing) {
      require_thing(tx, target->name);
    } else {
      require_group(tx, target->name);
    }
    targets.push_back(*std::move(target));
  }
  return targets;
}

std::string to_stored_targets(const std::vector<Target>& targets) {
  std::vector<std::string> keys;
  for (const Target& target : targets) keys.push_back(target.key());
  return to_stored(keys);
}

std::vector<Target> stored_targets(const std::string& text) {
  std::vector<Target> targets;
  for (const std::string& key : stored_list(text)) {
    auto target = parse_target_key(key);
    if (!target) throw Error(ErrorCode::data_corrupted, "a stored job has no known target");
    targets.push_back(*std::move(target));
  }
  return targets;
}

void check_job_id(const std::string& id, std::string_view member) {
  if (id.size() > 64 || !base::is_name_of(id, "_-")) {
    throw Error(ErrorCode::invalid_argument,
                std::string(member) + ": must be 1 to 64 letters, digits, '_' and '-'");
  }
}

fleet::JobConfiguration check_plan(const JobPlan& plan) {
  if (plan.document.size() > kMostJobDocumentBytes) {
    throw Error(ErrorCode::invalid_argument, "document: has more than 32768 bytes");
  }
  if (!base::parse_json(plan.document, "document").is_object()) {
    throw Error(ErrorCode::invalid_argument, "document: must be a JSON object");
  }
  if (plan.description.size() > kMostDescription) {
    throw Error(ErrorCode::invalid_argument, "description: has more than 2028 bytes");
  }
  (void)schedule_of(plan.configuration);
  return configuration_of(plan.configuration);
}

store::SqlValue timeout_of(const fleet::JobConfiguration& configuration) {
  if (!configuration.in_progress_timeout) return {};
  return std::int64_t{std::chrono::milliseconds(*configuration.in_progress_timeout).count()};
}

}  // namespace andon::control
