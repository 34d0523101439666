// SPDX-License-Identifier: Apache-2.0
#include "api/tasks/job_task.hpp"

#include <memory>
#include <string>
#include <utility>

#include "api/table/members.hpp"
#include "api/tasks/job_files.hpp"
#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "base/text/utf8.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using job::JobEnd;
using workflow::TaskFailure;
using workflow::TaskReply;

constexpr std::size_t kTail = 4096;       // of its output, in the cause of a failure
constexpr std::size_t kPart = 1U << 20U;  // of a log, in one answer

std::string_view error_of(JobEnd end) {
  switch (end) {
    case JobEnd::exited:
    case JobEnd::signalled:
      return "Job.Failed";
    case JobEnd::timed_out:
      return "Job.TimedOut";
    case JobEnd::silent:
      return "Job.HeartbeatMissed";
    case JobEnd::memory_exceeded:
      return "Job.MemoryExceeded";
    case JobEnd::disk_exceeded:
      return "Job.DiskExceeded";
    case JobEnd::stopped:
      return "Job.Lost";
    case JobEnd::not_started:
      return "Job.NotStarted";
    case JobEnd::refused:
      return "Job.Refused";
  }
  return "Job.Failed";
}

std::string tail_of(const job::JobDirectory& directory) {
  const std::uint64_t end = job::log_end(directory.path());
  const std::uint64_t from = end > kTail ? end - kTail : 0;
  return base::to_valid_utf8(job::read_log(directory.path(), from, kTail).bytes);
}

std::string cause(const std::string& id, const job::JobResult& result, const std::string& message,
                  const std::string& tail) {
  json::object told{{"JobId", id}, {"Message", message}};
  if (result.end == JobEnd::exited) told["ExitCode"] = result.code;
  if (result.end == JobEnd::signalled) told["Signal"] = result.code;
  told["LogTail"] = tail;
  return base::to_text(told);
}

// Both are by the keeper's clock, and the second is later however it was set meanwhile.
json::object succeeded(const std::string& id, const job::JobResult& result) {
  return {{"JobId", id},
          {"ExitCode", result.code},
          {"StartDate", base::to_iso8601(result.started)},
          {"StopDate", base::to_iso8601(result.stopped)}};
}

void tell_failure(const TaskReply& reply, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const TaskFailure& told) {
    reply.failed(told.error(), told.cause());
  } catch (const std::exception& error) {
    // The server's own trouble: a full disk, a missing program.
    reply.failed("Job.NotStarted", error.what());
  }
}

// A character whose end is not written yet comes with the next part.
std::string_view whole_characters(std::string_view bytes) {
  constexpr std::size_t kLongest = 4;
  for (std::size_t back = 1; back < kLongest && back <= bytes.size(); ++back) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((byte & 0xC0U) == 0x80U) continue;  // not the first of a character
    const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return length > back ? bytes.substr(0, bytes.size() - back) : bytes;
  }
  return bytes;
}

json::value log_of(const workflow::JobRunner& runner, const OperationContext& context) {
  const std::string id = required_text(context.input, "jobId");
  const std::int64_t from = optional_number(context.input, "from").value_or(0);
  if (from < 0) {
    throw base::Error(base::ErrorCode::invalid_argument, "from must not be negative");
  }
  const auto log = runner.log(id, static_cast<std::uint64_t>(from), kPart);
  if (!log) throw base::Error(base::ErrorCode::not_found, "there is no job '" + id + "' here");
  std::string_view bytes = log->part.bytes;
  if (!log->has_ended || bytes.size() == kPart) bytes = whole_characters(bytes);
  return json::object{{"jobId", id},
                      {"from", log->part.from},
                      {"next", log->part.from + bytes.size()},
                      {"text", base::to_valid_utf8(bytes)},
                      {"ended", log->has_ended && log->part.bytes.size() < kPart}};
}

}  // namespace

bool JobTask::has(const asl::Resource& resource) const {
  return resource.text == "arn:andon:states:::job:run.sync";
}

JobParameters JobTask::read(const workflow::TaskRequest& task) const {
  JobParameters job;
  try {
    job = read_job_parameters(*task.parameters);
  } catch (const base::Error& error) {
    throw TaskFailure("Job.InvalidParameters", error.message());
  }
  job::JobOrder& order = job.order;
  if (const std::uint16_t port = policy_.refused_port(order.rules.ports); port != 0) {
    throw TaskFailure("Job.InvalidParameters",
                      "Parameters.Ports has " + std::to_string(port) +
                          ", which jobs may not use here: andon-server --job-port allows ports");
  }
  order.id = task.idempotency_token;
  order.execution = task.execution;
  order.task = task.number;
  order.execution_arn = task.execution_arn;
  order.state = task.state;
  policy_.apply(order.rules);
  // Its own come first, what is given here is not theirs to change.
  std::map<std::string, std::string> environment = workflow::job_environment();
  for (auto& [name, value] : order.command.environment) environment[name] = std::move(value);
  const std::string place = std::string(job::kWorkPlace) + "/";
  environment["ANDON_JOB_ID"] = order.id;
  environment["ANDON_EXECUTION_ARN"] = order.execution_arn;
  environment["ANDON_STATE"] = order.state;
  environment["ANDON_RESULT_FILE"] = place + kResultFile;
  environment["ANDON_HEARTBEAT_FILE"] = place + job::kHeartbeatFile;
  order.command.environment = std::move(environment);
  return job;
}

void JobTask::require(const Caller& caller, const JobParameters& job) const {
  try {
    roles_.require(caller, "andon:RunJob", "*");
    for (const JobInput& input : job.inputs) {
      const auto* object = std::get_if<ObjectName>(&input.content);
      if (object != nullptr) {
        roles_.require_object(caller, "s3:GetObject", object->bucket, object->key);
      }
    }
    for (const JobOutput& output : job.outputs) {
      roles_.require_object(caller, "s3:PutObject", output.object.bucket, output.object.key);
    }
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::permission_denied) throw;
    throw TaskFailure("States.Permissions", error.message());
  }
}

void JobTask::start(const workflow::TaskRequest& task, const TaskReply& reply) {
  JobParameters parameters = read(task);
  require(roles_.caller_of(task), parameters);
  order(std::move(parameters), reply);
}

void JobTask::order(JobParameters parameters, const TaskReply& reply) {
  const auto job = std::make_shared<const JobParameters>(std::move(parameters));
  const std::string id = job->order.id;
  workflow::JobRunner::Watcher watcher;
  watcher.prepare = [this, job](const job::JobDirectory& directory) {
    put_inputs(*job, directory, objects_);
  };
  watcher.alive = [reply] { reply.alive(); };
  watcher.failed = [reply](const std::exception_ptr& failure) { tell_failure(reply, failure); };
  watcher.ended = [this, job, id, reply](const job::JobDirectory& directory,
                                         const std::optional<job::JobResult>& result) {
    if (!result || result->end == JobEnd::stopped) {
      reply.failed("Job.Lost",
                   cause(id, {.end = JobEnd::stopped},
                         "the job was ended with the server or the machine that it ran on; a "
                         "Retry for Job.Lost runs it again from its beginning",
                         tail_of(directory)));
    } else if (result->end != JobEnd::exited || result->code != 0) {
      reply.failed(std::string(error_of(result->end)),
                   cause(id, *result, result->message, tail_of(directory)));
    } else {
      json::object output = succeeded(id, *result);
      output["Outputs"] = take_outputs(*job, directory, objects_);
      output["Result"] = take_result(directory);
      reply.succeeded(std::move(output));
    }
  };
  // First, so that no end comes before it. What a crash between the two leaves is resumed.
  reply.submitted(json::object{{"JobId", id}});
  runner_.order(job->order, std::move(watcher));
}

void JobTask::cancel(const workflow::TaskRequest& task) {
  runner_.end(task.idempotency_token);
}

std::vector<Operation> job_operations(const workflow::JobRunner& runner) {
  return {{"andon", "GetJobLog", Protocol::rest_json, "GET", "/andon/v1/jobs/{jobId}/log", 200,
           [&runner](const OperationContext& context) { return log_of(runner, context); }}};
}

}  // namespace andon::api
