// SPDX-License-Identifier: Apache-2.0
// Room: syslog. Messages to a syslog of this machine or another (RFC 5424; over TCP with octet
// counting, RFC 6587): taken at once, sent by a thread of its own. What is queued is bounded; what
// has no room, or does not arrive, is dropped and counted, and the log says when that begins and
// ends. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/os/file.hpp"
#include "base/time/time.hpp"

namespace andon::wire {

// This machine's name as logs have it; "-" where it has none that is good for that.
[[nodiscard]] std::string host_name();

struct SyslogTarget {
  enum class Kind : std::uint8_t { local, udp, tcp };
  Kind kind = Kind::local;
  std::string path;  // of a local socket
  std::string host;
  std::string port;
};
// "unix:/dev/log", "udp:HOST:PORT", "tcp:HOST:PORT", "tcp:[::1]:601". Throws invalid_argument.
[[nodiscard]] SyslogTarget parse_syslog_target(std::string_view text);

enum class SyslogSeverity : std::uint8_t { warning = 4, notice = 5 };

struct SyslogMessage {
  SyslogSeverity severity = SyslogSeverity::notice;
  base::Timestamp time;
  std::string id;    // MSGID: what kind of message it is
  std::string text;  // UTF-8, one line
};
// Facility 13 (log audit). `host` and `program` are printable and without blanks.
[[nodiscard]] std::string to_syslog_line(const SyslogMessage& message, std::string_view host,
                                         std::string_view program);

class SyslogSender {
 public:
  SyslogSender(SyslogTarget target, std::string program);
  SyslogSender(const SyslogSender&) = delete;
  SyslogSender& operator=(const SyslogSender&) = delete;
  // Sends what is queued, for two seconds at most.
  ~SyslogSender();

  // Never waits.
  void send(SyslogMessage message);

  struct Counts {
    std::uint64_t sent = 0;  // handed over; UDP does not tell whether it arrives
    std::uint64_t dropped = 0;
  };
  [[nodiscard]] Counts counts() const;

 private:
  void run();
  [[nodiscard]] bool deliver(const std::string& line);
  [[nodiscard]] base::UniqueFd open_connection(std::string& problem) const;
  [[nodiscard]] bool write_line(const std::string& line, std::string& problem);

  const SyslogTarget target_;
  const std::string program_;
  const std::string host_;
  base::UniqueFd connection_;  // of the thread alone
  mutable std::mutex mutex_;   // guards what follows
  std::condition_variable changed_;
  std::deque<std::string> queue_;
  std::size_t queued_bytes_ = 0;
  Counts counts_;
  bool is_dropping_ = false;
  bool is_stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace andon::wire
