// SPDX-License-Identifier: Apache-2.0
// GET /console/events: which kinds of things have changed, as Server-Sent Events. An answer is one
// event and ends; the browser comes back by itself with that event's id, so a page misses nothing,
// a burst is one event (the newest counts, not each), and an open page holds no thread. A page that
// comes with no id, or with one from before a restart, is told where it stands: it loads everything
// anyway. At most kMostWaiting wait; beyond, the one that has waited longest is answered. Any
// thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "api/table/catalogue/change_kind.hpp"
#include "base/time/time.hpp"
#include "control/shared/background_worker.hpp"
#include "wire/http/http.hpp"
#include "wire/http/http_later.hpp"

namespace andon::api {

// What this operation changes, as its row says ("greengrass", "CreateDeployment"); of S3, whose
// operations have no rows, objects.
[[nodiscard]] ChangeKind changed_by(std::string_view service, std::string_view operation);
// The same of a row of the outbox ("event.device").
[[nodiscard]] ChangeKind changed_by_outbox(std::string_view kind);

class Changes {
 public:
  static constexpr std::size_t kMostWaiting = 256;
  static constexpr std::chrono::seconds kLongest{25};  // proxies end what is silent for longer

  // `newest_result` is asked each second while somebody waits: results come in batches of their
  // own.
  explicit Changes(std::function<std::int64_t()> newest_result);
  Changes(const Changes&) = delete;
  Changes& operator=(const Changes&) = delete;
  ~Changes() { stop(); }

  // Of nothing (ChangeKind::none) nobody is told.
  void note(ChangeKind kind);
  // The answer to a request whose Last-Event-ID is `last`.
  [[nodiscard]] wire::HttpResponse wait(std::string_view last);
  // Answers who waits; nobody waits any more. Before the HTTP server goes.
  void stop();

 private:
  struct Waiter {
    std::shared_ptr<wire::LaterResponse> later;
    std::shared_ptr<std::atomic<bool>> is_gone;
    std::uint64_t after = 0;
    std::chrono::steady_clock::time_point until;
  };
  // With mutex_ held.
  [[nodiscard]] wire::HttpResponse event_since(std::uint64_t after) const;
  [[nodiscard]] bool step();
  void look_for_results();

  const std::string boot_;  // ids of another start of the server are not ours
  const std::function<std::int64_t()> newest_result_;
  std::int64_t last_result_ = -1;  // of the worker alone
  mutable std::mutex mutex_;       // guards what follows
  std::uint64_t count_ = 1;
  std::array<std::uint64_t, kChangeKinds> changed_at_{};  // by kind
  std::list<Waiter> waiting_;
  bool is_stopping_ = false;
  std::optional<control::BackgroundWorker> worker_;  // last: it uses all of the above
};

}  // namespace andon::api
