// SPDX-License-Identifier: Apache-2.0
// Outputs that get the verdict as a message: an HTTP server, a topic, a command. One thread each.
#pragma once

#include "inspect/outputs/driver.hpp"
#include "wire/http/http_client.hpp"

namespace andon::inspect {

class HttpDriver final : public Driver {
 public:
  HttpDriver(HttpOutput output, std::chrono::milliseconds deadline, std::string thing);
  void give(const PartVerdict& part, Instant deadline) override;

 private:
  const HttpOutput output_;
  const std::string thing_;
  wire::HttpClient client_;
  Backoff backoff_;
  std::string why_gone_;
};

class MqttDriver final : public Driver {
 public:
  MqttDriver(MqttOutput output, const DriverTools& tools)
      : output_(std::move(output)), tools_(tools) {}
  void give(const PartVerdict& part, Instant deadline) override;

 private:
  const MqttOutput output_;
  const DriverTools tools_;
};

// The program gets ANDON_VERDICT, ANDON_VERDICT_RULE, ANDON_PART, ANDON_IMAGE and ANDON_MESSAGE
// (the JSON) in its environment, beside PATH and nothing else of this program's. It has told the
// line when it has ended with 0; one that has not by the deadline is ended.
class CommandDriver final : public Driver {
 public:
  CommandDriver(CommandOutput output, std::string thing)
      : output_(std::move(output)), thing_(std::move(thing)) {}
  void give(const PartVerdict& part, Instant deadline) override;

 private:
  const CommandOutput output_;
  const std::string thing_;
};

}  // namespace andon::inspect
