// SPDX-License-Identifier: Apache-2.0
// A device as the server sees one: it connects to the broker, asks for its job, and for each job
// says IN_PROGRESS, asks the data plane for its groups, its component and the artifact, fetches it,
// says what it runs now and SUCCEEDED. Nothing is unpacked or run. It connects again when the
// connection breaks, after a pause as devices make one. One thread: step() is called by the loop.
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tls_stream.hpp"

namespace fleet_bench {

using Time = std::chrono::steady_clock::time_point;

// What all devices share.
struct World {
  SSL_CTX* context = nullptr;
  sockaddr_in broker{};
  sockaddr_in data_plane{};
  int epoll = -1;
  std::size_t https_at_once = 200;
  std::size_t https_open = 0;
  std::uint64_t sequence = 0;
  std::map<std::string, std::size_t> failures;  // by what went wrong
};

class SimulatedDevice {
 public:
  SimulatedDevice(World& world, std::size_t number, const Identity& identity);
  SimulatedDevice(const SimulatedDevice&) = delete;
  SimulatedDevice& operator=(const SimulatedDevice&) = delete;
  ~SimulatedDevice() = default;

  void begin_at(Time when) { next_ = when; }
  // Events of the kernel, or the time: does what is due.
  void step(Time now);
  [[nodiscard]] bool is_ready() const { return is_ready_; }  // connected, and has asked for its job
  [[nodiscard]] std::size_t jobs_done() const { return jobs_done_; }
  [[nodiscard]] Time last_done() const { return last_done_; }

 private:
  enum class Step { none, waiting, groups, resolve, artifact, blob };

  void connect(Time now);
  void lose(const std::string& why, Time now);
  void watch(TlsStream& stream, std::uint32_t& watched);
  void take_packets(Time now);
  void take_message(const std::string& topic, const std::string& payload, Time now);
  void publish(const std::string& topic, const std::string& payload);
  void subscribe();
  void ask_for_job(Time now);
  void report(const char* status, Time now);
  void begin_job(const std::string& id, Time now);
  void work(Time now);
  void ask(const std::string& method, const std::string& path, const std::string& body = {});
  void take_answer(int status, const std::string& body, Time now);
  void finish_https();

  World& world_;
  const std::size_t number_;
  const Identity identity_;
  const std::string name_;
  Time next_{};
  Time last_ping_{};
  Time asked_{};
  std::string reported_;  // and not answered yet
  Time reported_at_{};
  std::unique_ptr<TlsStream> mqtt_;
  std::unique_ptr<TlsStream> https_;
  std::uint32_t mqtt_watched_ = 0;
  std::uint32_t https_watched_ = 0;
  std::uint16_t packet_ = 0;
  bool has_said_hello_ = false;
  bool is_ready_ = false;
  std::string job_;       // the one that it is at
  std::string last_job_;  // that it has done
  std::string component_;
  Step step_ = Step::none;
  std::size_t jobs_done_ = 0;
  Time last_done_{};
};

}  // namespace fleet_bench
