// SPDX-License-Identifier: Apache-2.0
// The token exchange service: temporary AWS credentials for components, over HTTP on 127.0.0.1, as
// every AWS SDK asks for them (AWS_CONTAINER_CREDENTIALS_FULL_URI with an Authorization token).
// Credentials are asked for in the background and kept in memory until shortly before they expire.
// Owned by the agent; main thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "base/time.hpp"
#include "edge/background_task.hpp"
#include "edge/data_plane.hpp"
#include "edge/event_loop.hpp"

namespace andon::edge {

class TokenExchange {
 public:
  struct Parts {
    EventLoop& loop;
    const base::Clock& clock;
    // The component whose token it is.
    std::function<std::optional<std::string>(std::string_view token)> authenticate;
    // Blocks; called on a background thread.
    std::function<TemporaryCredentials()> fetch;
  };

  explicit TokenExchange(Parts parts);
  TokenExchange(const TokenExchange&) = delete;
  TokenExchange& operator=(const TokenExchange&) = delete;
  ~TokenExchange();

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  struct Client {
    base::UniqueFd socket;
    std::string received;
    EventLoop::TimerId deadline = 0;
    bool waiting = false;  // for credentials
  };

  void accept_one();
  void read(int fd);
  void answer(int fd, int status, std::string_view body);
  void drop(int fd);
  void answer_credentials(int fd);
  void fetch();
  void take(std::exception_ptr error);
  [[nodiscard]] bool are_fresh() const;

  Parts parts_;
  base::UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::map<int, Client> clients_;
  std::optional<TemporaryCredentials> credentials_;
  TemporaryCredentials fetched_;  // by the background thread
  std::string failure_;
  base::Timestamp failed_at_;
  std::unique_ptr<BackgroundTask> task_;
};

}  // namespace andon::edge
