// SPDX-License-Identifier: Apache-2.0
// What functions are given by this server: directories and limits from its options, keys of their
// roles, their way to the operator API, and their log groups. Lines wait for nobody, with a queue
// of their own, so that a function that writes much pushes out nobody's lines but other functions'.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "control/iam/iam.hpp"
#include "control/logs/log_writer.hpp"
#include "functions/functions.hpp"
#include "server/options/server_options.hpp"
#include "server/start/ports.hpp"

namespace andon::server {

class FunctionLog {
 public:
  explicit FunctionLog(control::Logs& logs) : logs_(logs), lines_(logs) {}

  // Makes the group where it is absent. Waits for a disk; before lines are written to it.
  void ensure(const std::string& group);
  // Waits for nobody, and throws nothing.
  void write(const std::string& group, const std::string& stream, base::Timestamp time,
             std::string line);
  // A record, durable when it returns: in stream "records" of a log group, or on an event bus.
  // Throws not_found for what is neither.
  void put(const std::string& arn, base::Timestamp time, const std::string& text);
  // Who puts records on buses, once there is somebody; until then that throws unavailable.
  using PutOnBus = std::function<void(const std::string& bus, const std::string& record)>;
  void set_bus(PutOnBus put_on_bus);
  void flush() { lines_.flush(); }
  [[nodiscard]] control::LogWriter::Counts counts() const { return lines_.counts(); }

 private:
  control::Logs& logs_;
  control::LogWriter lines_;
  std::mutex mutex_;  // guards what follows
  PutOnBus put_on_bus_;
};

// What keeps jobs and functions (andon-job): beside this program, or installed for it.
[[nodiscard]] base::fs::path find_job_keeper();

struct FunctionSite {
  const ServerOptions& options;
  const Ports& ports;
  base::fs::path data;
  base::fs::path keeper;  // andon-job
  std::string ca_pem;
};
// All that is referred to, but for the site itself, must outlive what is made of it.
[[nodiscard]] functions::Functions::Parts function_parts(const FunctionSite& site,
                                                         store::Database& database,
                                                         store::ObjectStore& objects,
                                                         control::Iam& iam, FunctionLog& log,
                                                         const base::Clock& clock);

}  // namespace andon::server
