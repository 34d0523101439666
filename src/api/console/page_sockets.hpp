// SPDX-License-Identifier: Apache-2.0
// GET /console/socket: a WebSocket for a page that looks at messages and frames (page_socket.hpp).
// It is given to the server's own pages alone (Origin), by the session's cookie; kMost at a time. A
// session that ends, and a policy that changes, counts within kLooksAgain. What a page publishes it
// publishes by iotdata's Publish, as everybody. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <set>

#include "api/console/page_socket.hpp"
#include "control/shared/background_worker.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

class PageSockets {
 public:
  static constexpr std::size_t kMost = 32;
  static constexpr std::size_t kMostOfOne = 8;  // of one session
  static constexpr std::chrono::seconds kLooksAgain{3};

  // What the parts refer to must outlive it.
  explicit PageSockets(PageSocketParts parts);
  PageSockets(const PageSockets&) = delete;
  PageSockets& operator=(const PageSockets&) = delete;
  ~PageSockets() { stop(); }

  // Throws ServiceError: 401 without a session, 403 InvalidOrigin for another site's page, 429 and
  // 503 where there are too many.
  [[nodiscard]] std::shared_ptr<wire::WebSocket> open(const wire::HttpRequest& request);
  // Ends all of them, and none is opened any more. Before the HTTP server goes; the pages stay
  // until this object goes, which is after that: whoever wakes a page for the last time, its own
  // connection to the broker above all, must not be who destroys it.
  void stop();

 private:
  struct Open {
    std::string session;
    std::shared_ptr<PageSocket> page;
  };
  // Takes one of the places, for a page that is being made; throws where there is none.
  void take_place(const std::string& session);
  bool step();
  void wake();

  const PageSocketParts parts_;
  std::mutex mutex_;                    // guards what follows
  std::multiset<std::string> opening_;  // sessions whose pages are being made
  std::list<Open> pages_;
  bool is_stopping_ = false;
  std::unique_ptr<control::BackgroundWorker> worker_;  // null: it has stopped
};

}  // namespace andon::api
