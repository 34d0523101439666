// SPDX-License-Identifier: Apache-2.0
// The device's certificate stays good by itself: when a third of its life is left the agent gets a
// new one for the key that it has (which never leaves the device), and when it ran out while the
// device was off, at once. What is not answered, or refused, is tried again, less and less often.
// It is the server's time that counts: a device whose clock is far behind renews in time, one whose
// clock is far ahead does not renew over and over. A certificate that the server does not take
// (restored from a backup, it knows only the one before) is renewed at once.
// The agent's connection goes on meanwhile, and is made anew only when broker and server are known
// to take the new certificate and it is safe on the disk; a crash anywhere leaves one that works.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <string>

#include "base/json/fwd.hpp"
#include "base/time/time.hpp"
#include "edge/cloud/data_plane.hpp"
#include "edge/cloud/server_time.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/loop/worker.hpp"
#include "edge/state/device_config.hpp"
#include "edge/state/layout.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::edge {

// When a certificate is to be renewed: with a third of its life left, and up to a thirtieth later,
// so that a fleet which was enrolled in one hour is spread over days. The same at each question.
[[nodiscard]] base::Timestamp renewal_time(const trust::CertificateInfo& certificate);

// Gets, proves and keeps a new certificate. Blocks for as long as server and broker take, up to a
// minute. Throws permission_denied where the server will not (revoked: a new token is needed),
// unavailable and the like for what may pass; the old certificate is in its place then.
void renew_certificate_on_disk(const DeviceConfig& device, const Layout& layout);

// Renews in time. Owned by the agent, main thread only; what blocks is done by its worker.
class CertificateRenewer {
 public:
  struct Parts {
    EventLoop& loop;
    ServerTime& time;
    std::function<bool()> is_connected;            // to the broker
    std::function<ServerWord()> ask;               // the server; on the worker's thread
    std::function<trust::CertificateInfo()> read;  // what is on the disk
    std::function<void()> renew;                   // on the worker's thread
    std::function<void()> on_renewed;
    std::function<void()> on_change;  // of what status() tells
  };

  explicit CertificateRenewer(Parts parts);
  CertificateRenewer(const CertificateRenewer&) = delete;
  CertificateRenewer& operator=(const CertificateRenewer&) = delete;
  ~CertificateRenewer();

  // Where the connection is lost, soon asks whether the certificate is the reason.
  void connection_changed(bool is_connected);

  // {"id", "notAfter", "renewAfter"}, and "problem" where the last attempt failed.
  [[nodiscard]] base::json::object status() const;

 private:
  void look();
  void ask(bool is_due);
  void heard(bool was_due, const std::exception_ptr& failure);
  void renew();
  [[nodiscard]] std::chrono::milliseconds left() const;
  std::chrono::milliseconds next_question();
  void look_later(std::chrono::milliseconds delay);
  void on_attempt(const std::exception_ptr& failure);

  Parts parts_;
  trust::CertificateInfo certificate_;
  std::string problem_;
  std::chrono::milliseconds retry_;
  EventLoop::TimerId timer_ = 0;
  bool has_looked_ = false;
  bool is_working_ = false;
  bool asks_soon_ = false;
  std::chrono::milliseconds between_questions_;
  ServerWord word_;  // written by the worker's thread
  Worker worker_;
};

// The same of a device whose agent does not run; empty where there is no certificate.
[[nodiscard]] base::json::object certificate_status(const Layout& layout);

}  // namespace andon::edge
