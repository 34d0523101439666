// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/http_task.hpp"

#include <chrono>

#include "api/endpoints/http_exchange.hpp"
#include "base/error/error.hpp"
#include "fleet/names/arn.hpp"

namespace andon::api {
namespace {

using base::ErrorCode;
using workflow::TaskFailure;

// As Step Functions names what goes wrong on the way.
TaskFailure failure_of(const base::Error& error) {
  switch (error.code()) {
    case ErrorCode::resource_exhausted:
      return {"States.DataLimitExceeded", error.message()};
    case ErrorCode::invalid_argument:
      return {"States.Runtime", error.message()};
    default:
      return {"States.Http.Socket", error.message()};
  }
}

control::Authorization authorization_of(const control::Connections& connections,
                                        const std::string& arn) {
  const auto ref = fleet::parse_connection_arn(arn);
  std::optional<control::Authorization> found;
  try {
    if (ref) found = connections.authorization(ref->name, ref->id);
  } catch (const base::Error& error) {
    throw TaskFailure("Events.ConnectionResource.InternalError", error.message());
  }
  if (!found) {
    throw TaskFailure("Events.ConnectionResource.ResourceNotFound",
                      "There is no connection '" + arn + "'");
  }
  return *std::move(found);
}

}  // namespace

struct HttpTask::Call {
  Key key;
  wire::OutgoingRequest request;
  control::Authorization authorization;
  std::chrono::steady_clock::time_point due;
  std::shared_ptr<std::atomic<bool>> is_cancelled;
  workflow::TaskReply reply;
};

HttpTask::HttpTask(const control::Connections& connections, Options options)
    : connections_(connections), options_(std::move(options)), pool_(options_.threads) {}

HttpTask::~HttpTask() {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, is_cancelled] : calls_) *is_cancelled = true;
  }
  pool_.stop();
}

bool HttpTask::has(const asl::Resource& resource) const {
  return resource.kind == asl::Resource::Kind::service && resource.type == "http" &&
         resource.action == "invoke";
}

// As AWS has it: to call this endpoint, and to use the connection.
void HttpTask::check_role(const workflow::TaskRequest& task) const {
  if (!options_.require) return;
  policy::Context keys;
  for (const auto& [member, key] : {std::pair("/Method", "states:httpmethod"),
                                    std::pair("/ApiEndpoint", "states:httpendpoint")}) {
    const auto* value = base::find_pointer(*task.parameters, member);
    if (value != nullptr && value->is_string()) keys.set(key, std::string(value->get_string()));
  }
  try {
    options_.require(task, "states:InvokeHTTPEndpoint", task.machine_arn, keys);
    options_.require(task, "events:RetrieveConnectionCredentials",
                     connection_arn_of(*task.parameters), {});
  } catch (const base::Error& error) {
    if (error.code() != ErrorCode::permission_denied) throw;
    throw TaskFailure("States.Permissions", error.message());
  }
}

void HttpTask::start(const workflow::TaskRequest& task, const workflow::TaskReply& reply) {
  check_role(task);
  call(task, reply);
}

void HttpTask::call(const workflow::TaskRequest& task, const workflow::TaskReply& reply) {
  call(task, reply, authorization_of(connections_, connection_arn_of(*task.parameters)));
}

void HttpTask::call_openly(const workflow::TaskRequest& task, const workflow::TaskReply& reply) {
  call(task, reply, {.type = control::AuthorizationType::api_key});
}

void HttpTask::call(const workflow::TaskRequest& task, const workflow::TaskReply& reply,
                    control::Authorization authorization) {
  wire::OutgoingRequest request =
      http_request(*task.parameters, authorization, options_.allowed, task.region);
  const auto call =
      std::make_shared<Call>(Call{.key = {task.execution, task.number},
                                  .request = std::move(request),
                                  .authorization = std::move(authorization),
                                  .due = std::chrono::steady_clock::now() + options_.deadline,
                                  .is_cancelled = std::make_shared<std::atomic<bool>>(false),
                                  .reply = reply});
  {
    const std::lock_guard lock(mutex_);
    if (calls_.size() >= options_.queued) {
      throw TaskFailure("States.Http.Socket",
                        "More than " + std::to_string(options_.queued) +
                            " calls wait for their endpoints; try again later");
    }
    calls_[call->key] = call->is_cancelled;
  }
  pool_.post([this, call] { make(*call); });
}

void HttpTask::cancel(const workflow::TaskRequest& task) {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find({task.execution, task.number});
  if (found != calls_.end()) *found->second = true;
}

std::unique_ptr<wire::HttpClient> HttpTask::take_client() {
  {
    const std::lock_guard lock(mutex_);
    if (!clients_.empty()) {
      auto client = std::move(clients_.back());
      clients_.pop_back();
      return client;
    }
  }
  return std::make_unique<wire::HttpClient>(
      wire::HttpClientOptions{.ca_file = options_.ca_file, .stall_timeout = options_.deadline});
}

void HttpTask::give_back(std::unique_ptr<wire::HttpClient> client) {
  const std::lock_guard lock(mutex_);
  clients_.push_back(std::move(client));
}

void HttpTask::make(const Call& call) {
  const auto failed = [&call](const TaskFailure& failure) {
    call.reply.failed(failure.error(), failure.cause());
  };
  try {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        call.due - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      throw base::Error(ErrorCode::deadline_exceeded,
                        "Other calls took all the time that this one had");
    }
    wire::OutgoingRequest request = call.request;
    request.timeout = left;
    request.cancelled = call.is_cancelled.get();
    auto client = take_client();
    const wire::IncomingResponse response = client->send(request);
    give_back(std::move(client));
    call.reply.succeeded(http_result(response, call.authorization));
  } catch (const TaskFailure& failure) {
    failed(failure);
  } catch (const base::Error& error) {
    failed(failure_of(error));
  }
  const std::lock_guard lock(mutex_);
  calls_.erase(call.key);
}

}  // namespace andon::api
