// SPDX-License-Identifier: Apache-2.0
// Room: credentials. The token exchange service: temporary AWS credentials for components, over
// HTTP on 127.0.0.1, as every AWS SDK asks for them (AWS_CONTAINER_CREDENTIALS_FULL_URI with an
// Authorization token). Credentials are asked for in the background and kept in memory until
// shortly before they expire. Owned by the agent; main thread only. Connections without a known
// token are few for each local user, have two seconds, and give way to newer ones; one with a token
// that waits for its credentials does not.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "edge/cloud/data_plane.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/loop/worker.hpp"
#include "wire/local/local_http_server.hpp"

namespace andon::edge {

class TokenExchange {
 public:
  struct Parts {
    EventLoop& loop;
    const base::Clock& clock;  // the server's time
    // The component whose token it is.
    std::function<std::optional<std::string>(std::string_view token)> authenticate;
    // Blocks; called on a background thread.
    std::function<fleet::TemporaryCredentials()> fetch;
  };

  // Listens on loopback, at `port` where that can be had: components that outlive their agent look
  // there.
  explicit TokenExchange(Parts parts, std::uint16_t port = 0);
  TokenExchange(const TokenExchange&) = delete;
  TokenExchange& operator=(const TokenExchange&) = delete;
  ~TokenExchange();

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  // A socket that keeps the port from all other users as long as somebody has it open, so that none
  // of them gets the components' tokens while no agent runs.
  [[nodiscard]] int held_port() const { return held_port_.get(); }
  // What was fetched is for another role by now: the next who asks, and who is waiting, gets new
  // credentials. On the loop.
  void forget();

 private:
  using Reply = wire::LocalHttpServer::Reply;

  void take(const wire::LocalHttpRequest& request, const Reply& reply);
  void answer_credentials(const Reply& reply);
  void fetch();
  void take_fetched(const std::exception_ptr& error);
  [[nodiscard]] bool are_fresh() const;

  Parts parts_;
  wire::LocalHttpServer server_;
  base::UniqueFd held_port_;
  std::vector<Reply> waiting_;  // for credentials; at most one for each connection of the server
  std::optional<fleet::TemporaryCredentials> credentials_;
  fleet::TemporaryCredentials fetched_;  // by the background thread
  std::string failure_;
  LoopClock::Instant failed_at_;
  bool fetching_ = false;
  bool is_outdated_ = false;  // what is being fetched
  Worker worker_;             // last: it ends before what its work writes
};

}  // namespace andon::edge
