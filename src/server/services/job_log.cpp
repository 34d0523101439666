// SPDX-License-Identifier: Apache-2.0
#include "server/services/job_log.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "workflow/shared/arns.hpp"

namespace andon::server {
namespace {

constexpr std::chrono::seconds kPause{10};
constexpr std::size_t kMostGroups = 2'000;

struct LogPlace {
  std::string group;
  std::string stream;
};

LogPlace place_of(const job::JobOrder& order) {
  if (!order.log_group.empty() && !order.log_stream.empty()) {
    return {order.log_group, order.log_stream};
  }
  // SageMaker's jobs write where its users look: NAME/algo-1-...
  constexpr std::string_view kTraining = ":training-job/";
  constexpr std::string_view kProcessing = ":processing-job/";
  for (const auto& [kind, group] : {std::pair(kTraining, "/aws/sagemaker/TrainingJobs"),
                                    std::pair(kProcessing, "/aws/sagemaker/ProcessingJobs")}) {
    if (order.execution_arn.find(kind) == std::string::npos) continue;
    constexpr std::size_t kShort = 8;
    const std::string name = order.execution_arn.substr(order.execution_arn.rfind('/') + 1);
    return {group, name + "/algo-1-" + order.id.substr(0, kShort)};
  }
  const workflow::ExecutionArn execution = workflow::read_execution_arn(order.execution_arn);
  return {JobLog::kGroup, execution.machine + "/" + execution.name + "/" + order.id};
}

}  // namespace

bool JobLog::has_group(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (groups_.contains(name)) return true;
  // Then it is looked for again.
  if (groups_.size() >= kMostGroups) groups_.clear();
  if (attempts_.size() >= kMostGroups) attempts_.clear();
  const base::Timestamp now = clock_.now();
  if (const auto next = attempts_.find(name); next != attempts_.end() && now < next->second) {
    return false;
  }
  attempts_[name] = now + kPause;
  if (!logs_.find_group(name)) logs_.create_group({.name = name});
  groups_.insert(name);
  attempts_.erase(name);
  return true;
}

void JobLog::write(const job::JobOrder& order, std::string line) {
  try {
    const LogPlace place = place_of(order);
    if (!has_group(place.group)) return;
    lines_.write(place.group, place.stream, {clock_.now(), std::move(line)});
  } catch (const std::exception& error) {
    // Its own directory has it still.
    base::log_warning("a job's output is not in the log group",
                      {{"job", order.id}, {"error", std::string(error.what())}});
  }
}

}  // namespace andon::server
