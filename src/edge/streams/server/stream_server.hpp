// SPDX-License-Identifier: Apache-2.0
// The stream manager on a thread of its own, with a loop of its own, where it may wait for the disk
// without keeping anybody else. Made and destroyed on another thread; what is posted to loop() runs
// on its own. Its end closes the streams so that nothing but what is being exported is done again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/streams/exports/export_target.hpp"

namespace andon::edge {

class StreamServer {
 public:
  struct Options {
    fs::path root;
    std::size_t export_threads = 5;
    ExportWorld world;
    // Called on the server's thread; `answer` may be called on any thread, at once or later.
    std::function<void(const std::string& token, std::function<void(bool)> answer)> authenticate;
    // The streams cannot be opened; on the server's thread, which has ended its work then.
    std::function<void(const std::string& why)> on_failure;
  };

  // `listener` listens on the loopback already.
  StreamServer(Options options, base::UniqueFd listener);
  StreamServer(const StreamServer&) = delete;
  StreamServer& operator=(const StreamServer&) = delete;
  ~StreamServer();  // waits for its thread

  [[nodiscard]] EventLoop& loop() { return *loop_; }

 private:
  class Inside;
  void run();

  Options options_;
  base::UniqueFd listener_;
  // Outlives this where an answer is still on its way to it.
  std::shared_ptr<EventLoop> loop_ = std::make_shared<EventLoop>();
  std::thread thread_;
};

// Listens on 127.0.0.1; port 0: any. Throws unavailable where the port is in use.
[[nodiscard]] base::UniqueFd listen_on_loopback(std::uint16_t port);
[[nodiscard]] std::uint16_t port_of(const base::UniqueFd& listener);

}  // namespace andon::edge
