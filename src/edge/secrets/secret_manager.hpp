// SPDX-License-Identifier: Apache-2.0
// aws.greengrass.SecretManager: keeps the secrets that its configuration names as the server has
// them, and gives them to the components that may have them (IPC operation GetSecretValue), also
// while the server is away. They are asked for when the configuration changes, when the agent
// starts, with the period where there is one, and when a component wants one that is not there yet,
// is damaged, or is to be fresh. What the server has deleted goes; what it refuses, or cannot say
// now, stays as it is. Owned by the agent; main thread only, which it never keeps waiting.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "base/time/time.hpp"
#include "edge/ipc/access_policy.hpp"
#include "edge/ipc/ipc_call.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/loop/worker.hpp"
#include "edge/run/component_note.hpp"
#include "edge/secrets/secret_settings.hpp"
#include "edge/secrets/secret_table.hpp"
#include "edge/state/state_writer.hpp"

namespace andon::edge {

class SecretManager {
 public:
  struct Parts {
    EventLoop& loop;
    StateWriter& writer;
    const store::Database& database;  // the writer's
    const AccessPolicy& policy;
    const base::Clock& clock;  // the server's time
    // The component's configuration; null where it is not in the set.
    std::function<const json::object*()> configuration;
    // As SecretSource::get(); one thread at a time, which is not the loop's.
    std::function<SecretVersion(const std::string& id, const std::string& stage,
                                base::Timestamp now)>
        fetch;
    std::function<trust::SealingKey()> key;  // reads the disk; any thread
    TakeNote note;
  };
  explicit SecretManager(Parts parts);
  SecretManager(const SecretManager&) = delete;
  SecretManager& operator=(const SecretManager&) = delete;
  ~SecretManager();

  void add_to(IpcOperations& operations);
  // The set or a configuration may have changed.
  void refresh();
  // The same at the end of a deployment: what is not wanted any more leaves the disk.
  void deployment_ended();
  void connection_changed(bool is_connected);

 private:
  enum class Attempt : std::uint8_t { first, last };  // first: the server may be asked
  struct Asked {                                      // what a component wants
    std::string component;
    std::string secret;
    std::string version;
    std::string stage;
  };
  struct Fetched {
    std::vector<SecretVersion> versions;
    std::vector<std::string> missing;  // stages that no version has
  };
  struct Problem {
    base::ErrorCode code = base::ErrorCode::unavailable;
    std::string text;
    LoopClock::Instant at;
  };
  using Waiter = std::function<void()>;

  void get(const IpcCall& call, IpcReply reply);
  void answer(const std::string& id, const Asked& asked, Attempt attempt, const IpcReply& reply);
  void answer_from_disk(const std::string& id, const std::string& version, const Asked& asked,
                        Attempt attempt, const IpcReply& reply);
  // Once the server has been asked.
  [[nodiscard]] Waiter last_answer(const std::string& id, const Asked& asked,
                                   const IpcReply& reply);
  void require_access(const std::string& id, const Asked& asked) const;
  [[noreturn]] void throw_absent(const std::string& id, const Asked& asked) const;
  [[nodiscard]] std::optional<std::string> find(const std::string& secret) const;
  [[nodiscard]] std::string arn_of(const std::string& id) const;
  void fetch_soon(const std::string& id, Waiter waiter);
  void go_on();
  void take(const std::string& id, const Fetched& fetched, const std::exception_ptr& error);
  void keep(const std::string& id, const Fetched& fetched);
  void end(const std::string& id);  // of its question
  void end_all(const Problem& why);
  void try_again_later();
  void set_period();
  void note();
  void set_problem(const std::string& id, base::ErrorCode code, std::string text);
  static Fetched fetch_all(const Parts& parts, const std::string& id,
                           const std::vector<std::string>& stages, base::Timestamp now);

  Parts parts_;
  SecretSettings settings_;
  std::map<std::string, KeptSecret> kept_;   // what is on the disk, and not known to be damaged
  std::map<std::string, Problem> problems_;  // of the last question for each
  std::set<std::string> due_;
  std::map<std::string, std::vector<Waiter>> waiting_;
  std::string settings_problem_;
  std::optional<std::string> noted_;
  std::string fetching_;  // empty: none
  std::chrono::seconds retry_;
  EventLoop::TimerId retry_timer_ = 0;
  EventLoop::TimerId period_timer_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Worker worker_;  // last: it ends before what its work uses
};

}  // namespace andon::edge
