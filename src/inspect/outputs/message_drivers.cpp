// SPDX-License-Identifier: Apache-2.0
#include "inspect/outputs/message_drivers.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/error/error.hpp"
#include "base/os/process.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;

namespace {

milliseconds left_until(Instant deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
  return std::max(left, milliseconds{1});
}

wire::HttpClient client_for(const HttpOutput& output, milliseconds deadline) {
  wire::HttpClientOptions options;
  options.ca_file = output.ca_file;
  options.connect_timeout = deadline;
  return wire::HttpClient(std::move(options));
}

// What an environment can hold.
std::string without_zeros(std::string text) {
  std::erase(text, '\0');
  return text;
}

}  // namespace

HttpDriver::HttpDriver(HttpOutput output, milliseconds deadline, std::string thing)
    : output_(std::move(output)),
      thing_(std::move(thing)),
      client_(client_for(output_, deadline)) {}

void HttpDriver::give(const PartVerdict& part, Instant deadline) {
  // Parts that come while a server is known to be gone do not each wait for it.
  if (!backoff_.may_try(std::chrono::steady_clock::now())) {
    throw Error(ErrorCode::unavailable, why_gone_);
  }
  constexpr std::size_t kMostAnswerBytes = 64U << 10U;
  wire::OutgoingRequest request;
  request.method = "POST";
  request.url = output_.url;
  request.headers = {{"Content-Type", "application/json"}};
  for (const auto& [name, value] : output_.headers) request.headers.set(name, value);
  request.body = verdict_message(part, thing_);
  request.timeout = left_until(deadline);
  request.max_response_bytes = kMostAnswerBytes;
  wire::IncomingResponse response;
  try {
    response = client_.send(request);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::unavailable) {
      why_gone_ = error.message();
      backoff_.failed(std::chrono::steady_clock::now());
    }
    throw;
  }
  backoff_.succeeded();
  constexpr int kSuccess = 2;
  constexpr int kHundred = 100;
  if (response.status / kHundred != kSuccess) {
    throw Error(ErrorCode::unavailable,
                fmt::format("{} answered with status {}", output_.url, response.status));
  }
}

void MqttDriver::give(const PartVerdict& part, Instant) {
  tools_.publish(output_, verdict_message(part, tools_.thing));
}

void CommandDriver::give(const PartVerdict& part, Instant deadline) {
  const base::UniqueFd nothing = base::open_file("/dev/null", O_RDWR);
  const char* path = std::getenv("PATH");
  base::ProcessOptions options;
  options.arguments = output_.arguments;
  // Nothing of the environment: it holds the component's token.
  options.inherited = base::Inherited::nothing;
  options.environment = {{"PATH", path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path},
                         {"ANDON_VERDICT", std::string(to_string(part.verdict.judgement))},
                         {"ANDON_VERDICT_RULE", without_zeros(part.verdict.rule)},
                         {"ANDON_PART", without_zeros(part.part)},
                         {"ANDON_IMAGE", without_zeros(part.image)},
                         {"ANDON_MESSAGE", verdict_message(part, thing_)}};
  options.stdin_fd = nothing.get();
  options.stdout_fd = nothing.get();
  options.stderr_fd = STDERR_FILENO;
  base::Process process(options);
  const auto status = process.wait(left_until(deadline));
  if (!status) {  // it is ended with `process`
    throw Error(ErrorCode::deadline_exceeded,
                fmt::format("{} did not end in time", output_.arguments.front()));
  }
  if (!status->ok()) {
    throw Error(ErrorCode::unavailable, fmt::format("{} ended with {}", output_.arguments.front(),
                                                    base::to_string(*status)));
  }
}

}  // namespace andon::inspect
