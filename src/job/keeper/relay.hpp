// SPDX-License-Identifier: Apache-2.0
// The one way out of a sandbox that serves: what connects to a listener in its network is passed
// on, byte by byte, to one address and port, and to nothing else. Bounded in connections and in
// what is buffered; nothing here waits. One thread.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "base/os/file.hpp"

namespace andon::job {

class Relay {
 public:
  // `listener` does not block. Throws invalid_argument for what is no IP address.
  Relay(base::UniqueFd listener, const std::string& address, std::uint16_t port);

  // What to wait for.
  void add_to(std::vector<pollfd>& waiting) const;
  // Passes on what is there, after any wait.
  void turn();

 private:
  // One direction: what was read and is not written yet.
  struct Flow {
    std::string buffered;
    bool has_ended = false;  // nothing more is read
    bool is_shut = false;    // and the other side was told
  };
  struct Connection {
    base::UniqueFd inside;
    base::UniqueFd outside;
    Flow out;
    Flow in;
  };

  void accept_all();
  [[nodiscard]] base::UniqueFd connect_out() const;
  [[nodiscard]] static bool pass(int from, int to, Flow& flow);

  base::UniqueFd listener_;
  sockaddr_storage target_{};
  socklen_t target_size_ = 0;
  std::list<Connection> connections_;
};

}  // namespace andon::job
