// SPDX-License-Identifier: Apache-2.0
// Functions, put together: what the Lambda API, state machines and events of this server call. Made
// once by the server; any thread may use its parts. New code is prepared by a thread of its own,
// also what an earlier program left unprepared.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "functions/invocations/event_queue.hpp"
#include "functions/invocations/invoker.hpp"
#include "functions/layers/layers.hpp"
#include "functions/package/packages.hpp"
#include "functions/registry/registry.hpp"
#include "functions/sandboxes/sandboxes.hpp"
#include "functions/versions/settings.hpp"

namespace andon::functions {

class Functions {
 public:
  struct Parts {
    store::Database& database;
    store::ObjectStore& objects;
    const base::Clock& clock;
    fleet::Arns arns;
    PackageOptions packages;
    SandboxOptions sandboxes;
    EventQueue::WriteRecord write_record;
    EventOptions events = {};
  };
  explicit Functions(Parts parts);
  Functions(const Functions&) = delete;
  Functions& operator=(const Functions&) = delete;
  ~Functions();

  // There is something to prepare.
  void wake();
  // Prepares it before it returns, for who publishes at once. Throws what is wrong with it.
  void prepare_now(const Version& version);
  // Calls under way are refused; events stay for the next program.
  void stop();

  Registry registry;
  Settings settings;
  Layers layers;
  Packages packages;
  Sandboxes sandboxes;
  Invoker invoker;
  EventQueue events;

 private:
  void prepare();
  void prepare(const Version& version);

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool is_woken_ = true;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace andon::functions
