// SPDX-License-Identifier: Apache-2.0
// Who the client devices of this device are, as the server says: the things that are associated
// with it, and their certificates. Asked again and again, at each connection, and when somebody
// turns up who is not known; kept on the disk, so that client devices are let in while the server
// cannot be reached. Owned by the agent; main thread only, which it never keeps waiting.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "edge/loop/event_loop.hpp"
#include "edge/loop/worker.hpp"
#include "edge/run/component_note.hpp"
#include "edge/state/layout.hpp"
#include "fleet/messages/data_plane.hpp"

namespace andon::edge {

class ClientRegistry {
 public:
  struct Parts {
    EventLoop& loop;
    fs::path file;
    // The server's answer, where its SHA-256 is another than `known`. Blocks; on another thread.
    std::function<std::optional<std::string>(const std::string& known)> ask;
    // After each answer, also one that says nothing new, and once what is on the disk is read.
    std::function<void()> on_answer;
    TakeNote note;
  };
  explicit ClientRegistry(Parts parts) : parts_(std::move(parts)), worker_(parts_.loop) {}
  ClientRegistry(const ClientRegistry&) = delete;
  ClientRegistry& operator=(const ClientRegistry&) = delete;
  ~ClientRegistry();

  // From now on at least every `period`; again with another one.
  void start(std::chrono::minutes period);
  void stop();
  void connection_changed(bool is_connected);
  // Soon, a few seconds after the last time; `done` follows the answer, whatever it is.
  void ask_again(std::function<void()> done);

  // False before what is on the disk is read.
  [[nodiscard]] bool is_read() const { return is_read_; }
  [[nodiscard]] const fleet::ClientDeviceList& list() const { return list_; }
  // Rises with each list that is another one.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  // By the SHA-256 of its certificate; nothing where no client device has it.
  [[nodiscard]] std::optional<std::string> thing_of(const std::string& fingerprint) const;

 private:
  struct Answer {
    std::optional<std::string> body;
    fleet::ClientDeviceList list;
  };
  void read();
  void ask();
  void ask_in(std::chrono::milliseconds delay);
  void take(Answer answer, const std::exception_ptr& error);
  void adopt(Answer answer);

  Parts parts_;
  bool is_started_ = false;
  bool is_read_ = false;
  bool is_asking_ = false;
  std::chrono::minutes period_{1};
  std::string digest_;  // of the answer
  fleet::ClientDeviceList list_;
  std::map<std::string, std::string> things_;  // by certificate
  std::uint64_t generation_ = 0;
  std::optional<LoopClock::Instant> asked_;
  std::vector<std::function<void()>> waiting_;
  std::string problem_;
  EventLoop::TimerId timer_ = 0;
  Worker worker_;  // last: it ends before what its work uses
};

}  // namespace andon::edge
