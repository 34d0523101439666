// SPDX-License-Identifier: Apache-2.0
#include "api/console/page_sockets.hpp"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "api/signin/cookie.hpp"

namespace andon::api {

PageSockets::PageSockets(PageSocketParts parts)
    : parts_(std::move(parts)),
      worker_(std::make_unique<control::BackgroundWorker>(
          "console sockets", [this] { return step(); }, kLooksAgain)) {}

std::shared_ptr<wire::WebSocket> PageSockets::open(const wire::HttpRequest& request) {
  SessionCaller who = parts_.sign_in.caller_of(request);
  if (!is_from_own_origin(request)) {
    throw ServiceError(
        403, "InvalidOrigin",
        "the request's Origin must be this server: a WebSocket is for its own pages");
  }
  // Only the cookie and where it came from are asked for again.
  wire::HttpRequest kept{.method = "GET", .target = request.target, .path = request.path};
  kept.headers = request.headers;
  kept.peer_address = request.peer_address;
  kept.is_tls = request.is_tls;
  const std::string session = who.session_id;
  take_place(session);
  std::shared_ptr<PageSocket> page;
  std::shared_ptr<wire::WebSocket> socket;
  std::exception_ptr failure;
  try {
    page =
        std::make_shared<PageSocket>(parts_, std::move(kept), std::move(who), [this] { wake(); });
    socket = page->make_socket();
  } catch (...) {
    failure = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  opening_.erase(opening_.find(session));
  if (failure) std::rethrow_exception(failure);
  if (is_stopping_) {
    page->end({.code = 1001, .reason = "the server stops"});
  } else {
    pages_.push_back({session, std::move(page)});
  }
  return socket;
}

void PageSockets::take_place(const std::string& session) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_ || pages_.size() + opening_.size() >= kMost) {
    throw ServiceError(
        503, "ServiceUnavailable",
        "as many pages look at messages and frames as may at a time: close another one");
  }
  const auto of_this =
      static_cast<std::size_t>(std::ranges::count(pages_, session, &Open::session));
  if (of_this + opening_.count(session) >= kMostOfOne) {
    throw ServiceError(
        429, "TooManyRequests",
        "this session looks at messages and frames in 8 pages already: close one of them");
  }
  opening_.insert(session);
}

void PageSockets::wake() {
  const std::lock_guard lock(mutex_);
  if (worker_) worker_->wake();
}

bool PageSockets::step() {
  std::vector<std::shared_ptr<PageSocket>> open;
  std::list<Open> gone;
  {
    const std::lock_guard lock(mutex_);
    for (auto each = pages_.begin(); each != pages_.end();) {
      const auto one = each++;
      if (one->page->is_gone()) {
        gone.splice(gone.end(), pages_, one);
      } else {
        open.push_back(one->page);
      }
    }
  }
  for (const Open& one : gone) one.page->disconnect();
  for (const auto& page : open) page->look_again();
  return false;
}

void PageSockets::stop() {
  std::unique_ptr<control::BackgroundWorker> worker;  // ends outside of the lock
  std::list<Open> open;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    worker = std::move(worker_);
    open = pages_;
  }
  for (const Open& one : open) one.page->end({.code = 1001, .reason = "the server stops"});
}

}  // namespace andon::api
