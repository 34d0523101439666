// SPDX-License-Identifier: Apache-2.0
#include "workflow/modeljobs/model_jobs.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "base/text/id.hpp"
#include "base/text/utf8.hpp"
#include "workflow/modeljobs/metrics.hpp"
#include "workflow/modeljobs/schema.hpp"

namespace andon::workflow {
namespace {

using base::Error;
using base::ErrorCode;
using job::JobEnd;

constexpr std::chrono::seconds kGrace{120};  // SageMaker's, between SIGTERM and the end
constexpr std::size_t kMostReason = 1024;
constexpr std::size_t kTail = 512;
constexpr std::chrono::milliseconds kMetricsPatience{10'000};

store::Database& migrated(store::Database& database) {
  migrate_model_job_schema(database);
  return database;
}

void begin_transition(ModelJob& job, const std::string& status, const std::string& message,
                      base::Timestamp now) {
  if (!job.transitions.empty()) job.transitions.back().ended = now;
  job.transitions.push_back(
      {.status = status, .started = now, .ended = std::nullopt, .message = message});
  job.modified = now;
}

std::string last_line(const job::JobDirectory& directory) {
  const std::uint64_t end = job::log_end(directory.path());
  const std::string tail = base::to_valid_utf8(
      job::read_log(directory.path(), end > kTail ? end - kTail : 0, kTail).bytes);
  std::string_view text(tail);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  const std::size_t line = text.rfind('\n');
  return std::string(line == std::string_view::npos ? text : text.substr(line + 1));
}

std::string cut(std::string text) {
  return std::string(base::utf8_prefix(text, kMostReason));
}

}  // namespace

struct ModelJobs::Outcome {
  ModelJobStatus status = ModelJobStatus::failed;
  std::string secondary;  // of training; empty: as the status
  std::string reason;
  std::string exit_message;
  std::vector<FinalMetric> metrics;
};

ModelJobs::ModelJobs(Parts parts) : parts_(std::move(parts)), table_(migrated(parts_.database)) {
  (void)ImageCommands::load(parts_.images);  // a broken one is told at once
}

std::string ModelJobs::arn(ModelJobKind kind, const std::string& name) const {
  return "arn:aws:sagemaker:" + parts_.arns.region() + ":" + parts_.arns.account() + ":" +
         std::string(to_string(kind)) + "-job/" + name;
}

void ModelJobs::run() {
  for (const ModelJob& job : table_.open_jobs()) {
    order(job);
    if (job.status == ModelJobStatus::stopping) parts_.runner.end(job.id);
  }
}

JobContract ModelJobs::contract(const ModelJob& job) const {
  const ImageCommands images = ImageCommands::load(parts_.images);
  const ImageCommand& image = images.require(image_of(job));
  ContractPlace place{.region = parts_.arns.region(),
                      .cpus = std::max(1U, std::thread::hardware_concurrency())};
  for (const job::fs::path& path : parts_.policy.read_only) {
    const std::string text = path.string();
    constexpr std::string_view kGpu = "/dev/nvidia";
    if (text.starts_with(kGpu) && text.size() > kGpu.size() &&
        text.find_first_not_of("0123456789", kGpu.size()) == std::string::npos) {
      ++place.gpus;
    }
    // A directory that the operator shows there is in the way of our link.
    if (text == "/opt" || text == kMlPlace) {
      place.base = std::string(job::kWorkPlace) + "/" + kMlDirectory;
    }
  }
  JobContract made = job.kind == ModelJobKind::training ? training_contract(job, image, place)
                                                        : processing_contract(job, image, place);
  const json::value* isolated = job.request.if_contains("EnableNetworkIsolation");
  if (isolated != nullptr && isolated->is_bool() && isolated->get_bool()) made.ports.clear();
  if (const std::uint16_t port = parts_.policy.refused_port(made.ports); port != 0) {
    throw Error(ErrorCode::invalid_argument,
                parts_.images.string() + ": port " + std::to_string(port) + " of image '" +
                    image.image + "' is none that andon-server --job-port allows");
  }
  return made;
}

JobObjects ModelJobs::objects(const ModelJob& job) const {
  return {
      .store = parts_.objects,
      .require = [this, job](std::string_view action, const std::string& bucket,
                             const std::string& key) { parts_.require(job, action, bucket, key); }};
}

ModelJob ModelJobs::create(ModelJobKind kind, const std::string& name, json::object request) {
  ModelJob job;
  job.kind = kind;
  job.name = name;
  job.arn = arn(kind, name);
  job.id = base::random_uuid();
  job.request = std::move(request);
  job.created = parts_.clock.now();
  begin_transition(job, "Starting", "Launching the job", job.created);
  (void)contract(job);
  if (!table_.insert(job)) {
    throw Error(
        ErrorCode::already_exists,
        std::string(kind == ModelJobKind::training ? "Training Job names must be unique "
                                                   : "Processing Job names must be unique ") +
            "within an AWS account and region, and a job with "
            "this name already exists (" +
            job.arn + ")");
  }
  order(job);
  return job;
}

void ModelJobs::order(const ModelJob& job) {
  job::JobOrder order;
  order.id = job.id;
  order.execution_arn = job.arn;
  order.state = job.name;
  order.grace = kGrace;
  JobRunner::Watcher watcher;
  watcher.ended = [this, id = job.id](const job::JobDirectory& directory,
                                      const std::optional<job::JobResult>& result) {
    take(id, directory, result);
  };
  watcher.failed = [this, id = job.id](const std::exception_ptr& failure) { fail(id, failure); };
  watcher.dropped = [this, id = job.id] {
    finish(id, {.status = ModelJobStatus::stopped, .reason = {}});
  };
  try {
    const JobContract made = contract(job);
    order.command = made.command;
    order.timeout = made.timeout;
    parts_.policy.apply(order.rules);
    order.rules.limits = made.limits;
    order.rules.ports = made.ports;
    order.rules.links = {
        {.place = kMlPlace, .target = job::fs::path(job::kWorkPlace) / kMlDirectory}};
  } catch (const Error& error) {
    // Its image has lost its command since; one that has begun needs none any more.
    order.command.arguments = {"false"};
    watcher.prepare = [failure = std::current_exception()](const job::JobDirectory&) {
      std::rethrow_exception(failure);
    };
    parts_.runner.order(std::move(order), std::move(watcher));
    return;
  }
  watcher.prepare = [this, job](const job::JobDirectory& directory) { prepare(job, directory); };
  parts_.runner.order(std::move(order), std::move(watcher));
}

void ModelJobs::prepare(const ModelJob& job, const job::JobDirectory& directory) {
  step(job.id, "Downloading", "Downloading input data");
  put_job_files(contract(job), directory, objects(job));
  const base::Timestamp now = parts_.clock.now();
  (void)table_.change(job.id, [&](ModelJob& one) {
    one.started = now;
    begin_transition(one, "Training", "The command of the image runs", now);
  });
}

void ModelJobs::step(const std::string& id, const std::string& secondary,
                     const std::string& message) {
  const base::Timestamp now = parts_.clock.now();
  (void)table_.change(id, [&](ModelJob& job) {
    // Done once more after a crash.
    if (job.secondary() != secondary) begin_transition(job, secondary, message, now);
  });
}

void ModelJobs::take(const std::string& id, const job::JobDirectory& directory,
                     const std::optional<job::JobResult>& result) {
  const auto job = table_.find_id(id);
  if (!job || is_over(job->status)) return;
  Outcome outcome = outcome_of(*job, directory, result);
  const bool trains = job->kind == ModelJobKind::training;
  // A model that was saved before the stop is kept, as there.
  const bool has_outputs = outcome.status == ModelJobStatus::completed ||
                           (trains && result && outcome.status == ModelJobStatus::stopped);
  if (has_outputs) {
    step(id, "Uploading", "Uploading what the job has made");
    try {
      if (trains) {
        take_model(*job, directory, objects(*job));
      } else {
        take_processing_outputs(contract(*job), directory, objects(*job));
      }
    } catch (const Error& error) {
      outcome.status = ModelJobStatus::failed;
      outcome.secondary.clear();
      outcome.reason = "ClientError: Artifact upload failed: " + error.message();
    }
  }
  if (trains) {
    const auto definitions =
        base::JsonReader(job->request, "").child_or_empty("AlgorithmSpecification");
    if (const json::array* list = definitions.optional_array("MetricDefinitions")) {
      const std::string log = job::read_log(directory.path(), 0, 10U << 20U).bytes;
      outcome.metrics = read_metrics(*list, log, kMetricsPatience);
    }
  } else {
    outcome.exit_message =
        cut(take_text(directory, std::string(kMlDirectory) + "/output/message", kMostReason));
  }
  finish(id, outcome);
}

ModelJobs::Outcome ModelJobs::outcome_of(const ModelJob& job, const job::JobDirectory& directory,
                                         const std::optional<job::JobResult>& result) const {
  Outcome outcome;
  if (!result || result->end == JobEnd::stopped) {
    if (job.status == ModelJobStatus::stopping) {
      outcome.status = ModelJobStatus::stopped;
    } else {
      outcome.reason =
          "InternalServerError: the job was ended with the server or the machine that it ran on; "
          "begin it anew";
    }
    return outcome;
  }
  const std::string code = ", exit code: ";
  std::string why =
      take_text(directory, std::string(kMlDirectory) + "/output/failure", kMostReason);
  if (why.empty()) why = last_line(directory);
  switch (result->end) {
    case JobEnd::exited:
      if (result->code == 0) {
        outcome.status = ModelJobStatus::completed;
      } else {
        outcome.reason = "AlgorithmError: " + why + code + std::to_string(result->code);
      }
      break;
    case JobEnd::signalled:
      outcome.reason = "AlgorithmError: " + why + code + std::to_string(128 + result->code);
      break;
    case JobEnd::timed_out:
      outcome.status = ModelJobStatus::stopped;
      outcome.secondary = "MaxRuntimeExceeded";
      outcome.reason = "ClientError: the job ran longer than MaxRuntimeInSeconds allows";
      break;
    case JobEnd::memory_exceeded:
    case JobEnd::disk_exceeded:
      outcome.reason = "AlgorithmError: " + result->message + code + "137";
      break;
    case JobEnd::not_started:
      outcome.reason = "ClientError: the command of the image cannot be run: " + result->message;
      break;
    default:
      outcome.reason = "InternalServerError: " + result->message;
  }
  return outcome;
}

void ModelJobs::fail(const std::string& id, const std::exception_ptr& failure) {
  Outcome outcome;
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    const bool is_clients =
        error.code() == ErrorCode::invalid_argument || error.code() == ErrorCode::not_found ||
        error.code() == ErrorCode::permission_denied ||
        error.code() == ErrorCode::resource_exhausted || error.code() == ErrorCode::data_corrupted;
    outcome.reason =
        (is_clients ? "ClientError: Data download failed: " : "InternalServerError: ") +
        error.message();
  } catch (const std::exception& error) {
    outcome.reason = "InternalServerError: " + std::string(error.what());
  }
  finish(id, outcome);
}

void ModelJobs::finish(const std::string& id, const Outcome& outcome) {
  const base::Timestamp now = parts_.clock.now();
  std::optional<ModelJob> done;
  try {
    done = table_.change(id, [&](ModelJob& job) {
      job.status = outcome.status;
      job.failure_reason = cut(outcome.reason);
      job.exit_message = outcome.exit_message;
      job.metrics = outcome.metrics;
      job.ended = now;
      begin_transition(
          job,
          outcome.secondary.empty() ? std::string(to_string(outcome.status)) : outcome.secondary,
          outcome.reason.empty() ? "The job has ended" : job.failure_reason, now);
      job.transitions.back().ended = now;
    });
  } catch (const Error& error) {
    // It stays open, and the next start takes it up.
    base::log_error("a job's end cannot be stored", {{"job", id}, {"error", error.message()}});
    return;
  }
  if (!done) return;
  std::vector<std::function<void(const ModelJob&)>> told;
  {
    const std::lock_guard lock(mutex_);
    const auto [begin, end] = waiting_.equal_range(done->arn);
    for (auto one = begin; one != end; ++one) told.push_back(std::move(one->second));
    waiting_.erase(begin, end);
  }
  for (const auto& tell : told) tell(*done);
}

std::optional<bool> ModelJobs::stop(ModelJobKind kind, const std::string& name) {
  const auto job = table_.find(kind, name);
  if (!job) return std::nullopt;
  const base::Timestamp now = parts_.clock.now();
  const auto stopping = table_.change(job->id, [now](ModelJob& one) {
    if (one.status == ModelJobStatus::stopping) return;
    one.status = ModelJobStatus::stopping;
    begin_transition(one, "Stopping", "Stopping the job", now);
  });
  if (!stopping) return false;
  parts_.runner.end(job->id);
  return true;
}

void ModelJobs::when_ended(ModelJobKind kind, const std::string& name,
                           std::function<void(const ModelJob&)> told) {
  std::optional<ModelJob> job;
  {
    const std::lock_guard lock(mutex_);
    // Within the lock: who finishes it looks for who waits afterwards.
    job = table_.find(kind, name);
    if (!job) throw Error(ErrorCode::not_found, "there is no job " + arn(kind, name));
    if (!is_over(job->status)) {
      waiting_.emplace(job->arn, std::move(told));
      return;
    }
  }
  told(*job);
}

JobRunner::Standing ModelJobs::standing(const job::JobOrder& order) const {
  using Standing = JobRunner::Standing;
  const auto job = table_.find_id(order.id);
  if (!job) return Standing::forgotten;
  return is_over(job->status) ? Standing::over : Standing::open;
}

void ModelJobs::forget(base::Timestamp before) {
  constexpr std::size_t kAtATime = 200;
  while (table_.forget(before, kAtATime) == kAtATime) {
  }
}

}  // namespace andon::workflow
