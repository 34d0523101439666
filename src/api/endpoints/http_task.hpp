// SPDX-License-Identifier: Apache-2.0
// Room: endpoints. HTTP endpoints of others that this server calls for its users: which may be
// called, what is sent and what comes back.
//
// arn:aws:states:::http:invoke: a call of an HTTP endpoint with a connection's credentials, to
// hosts that the operator allows. A few threads of its own make the calls, each with a deadline, so
// that slow endpoints hold up nothing else. After a crash a call that has no answer is made again.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "api/endpoints/allowed_hosts.hpp"
#include "control/connections/connections.hpp"
#include "policy/language/context.hpp"
#include "wire/http/http_client.hpp"
#include "workflow/drive/pool.hpp"
#include "workflow/tasks/integration.hpp"

namespace andon::api {

class HttpTask final : public workflow::Integration {
 public:
  struct Options {
    AllowedHosts allowed;
    std::string ca_file;  // PEM, in the place of the system's store; empty: that
    std::size_t threads = 8;
    std::size_t queued = 1000;                   // beyond it calls fail at once
    std::chrono::milliseconds deadline{60'000};  // of a call, from when it is asked for
    // Throws base::Error(permission_denied) or TaskFailure unless the task's role may do `action`
    // on `resource`; `keys` are the conditions' keys of the call.
    std::function<void(const workflow::TaskRequest& task, std::string_view action,
                       const std::string& resource, const policy::Context& keys)>
        require = {};
  };
  // `connections` outlives it.
  HttpTask(const control::Connections& connections, Options options);
  // Breaks off what is under way.
  ~HttpTask() override;

  [[nodiscard]] bool has(const asl::Resource& resource) const override;
  void start(const workflow::TaskRequest& task, const workflow::TaskReply& reply) override;
  void cancel(const workflow::TaskRequest& task) override;
  // start() for who has been asked already whether they may.
  void call(const workflow::TaskRequest& task, const workflow::TaskReply& reply);
  // The same without a connection: nothing is added to what the parameters say.
  void call_openly(const workflow::TaskRequest& task, const workflow::TaskReply& reply);

 private:
  struct Call;
  using Key = std::pair<std::int64_t, std::int64_t>;  // execution, task

  void check_role(const workflow::TaskRequest& task) const;
  void call(const workflow::TaskRequest& task, const workflow::TaskReply& reply,
            control::Authorization authorization);
  void make(const Call& call);
  [[nodiscard]] std::unique_ptr<wire::HttpClient> take_client();
  void give_back(std::unique_ptr<wire::HttpClient> client);

  const control::Connections& connections_;
  const Options options_;
  std::mutex mutex_;  // guards what follows
  std::map<Key, std::shared_ptr<std::atomic<bool>>> calls_;
  std::vector<std::unique_ptr<wire::HttpClient>> clients_;  // at rest, with their connections
  workflow::Pool pool_;                                     // last: it uses all of the above
};

}  // namespace andon::api
