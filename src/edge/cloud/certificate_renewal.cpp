// SPDX-License-Identifier: Apache-2.0
#include "edge/cloud/certificate_renewal.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <random>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/log/log.hpp"
#include "edge/cloud/data_plane.hpp"
#include "edge/cloud/mqtt_link.hpp"
#include "wire/mqtt/mqtt_client.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;

constexpr milliseconds kProofTimeout{10'000};
constexpr milliseconds kFirstRetry{30'000};
constexpr milliseconds kLastRetry{3'600'000};
// How long the broker's first answer is waited for; later between two questions, more and more.
constexpr milliseconds kForAnAnswer{15'000};
// The machine's clock may be put right meanwhile.
constexpr milliseconds kBetweenLooks{3'600'000};
constexpr std::size_t kMaxPemBytes = 1U << 16U;

// What the server gave is used only if it is this device's, of the CA that it was enrolled with.
void check(const std::string& fresh, const trust::PrivateKey& key, const std::string& ca,
           const trust::CertificateInfo& old) {
  const trust::CertificateInfo info = trust::describe_certificate(fresh);
  const char* problem = nullptr;
  if (!trust::is_key_of(key, fresh)) problem = "is for another key";
  // At its own begin, whatever this machine's clock says.
  if (!trust::is_signed_by(fresh, ca, info.not_before)) problem = "is signed by another CA";
  if (info.common_name != old.common_name) problem = "has another name";
  if (info.not_after <= old.not_after) problem = "ends no later than the one that it replaces";
  if (problem == nullptr) return;
  throw Error(ErrorCode::data_corrupted,
              std::string("cannot renew this device's certificate: the one that the server gave ") +
                  problem + "; the old one stays");
}

// Connects with it, beside the agent's own connection.
void prove(const DeviceConfig& device, const Layout& layout, const fs::path& certificate) {
  struct Heard {
    std::mutex mutex;
    std::string problem;
  };
  const auto heard = std::make_shared<Heard>();
  wire::MqttOptions options = broker_options(device, layout);
  options.client_id = device.thing_name + "#renewal";
  options.certificate_file = certificate.string();
  const wire::MqttClient client(options, [heard](bool connected, std::string_view reason) {
    const std::lock_guard lock(heard->mutex);
    if (!connected) heard->problem = reason;
  });
  if (client.wait_connected(kProofTimeout)) return;
  const std::lock_guard lock(heard->mutex);
  throw Error(ErrorCode::unavailable,
              "the new certificate is there, but the broker has not taken it: " + heard->problem +
                  "; the old one stays until it does");
}

milliseconds half_drawn(milliseconds delay) {
  static std::minstd_rand random(std::random_device{}());
  return milliseconds(
      std::uniform_int_distribution<std::int64_t>(delay.count() / 2, delay.count())(random));
}

json::object describe(const trust::CertificateInfo& certificate) {
  return {{"id", certificate.fingerprint},
          {"notAfter", base::to_iso8601(certificate.not_after)},
          {"renewAfter", base::to_iso8601(renewal_time(certificate))}};
}

}  // namespace

base::Timestamp renewal_time(const trust::CertificateInfo& certificate) {
  const auto life = certificate.not_after - certificate.not_before;
  // A number of its own that is as good as drawn: its digest's first 16 bits.
  constexpr std::int64_t kDraws = 1 << 16;
  const std::string digits = certificate.fingerprint.substr(0, 4);
  const std::int64_t drawn = std::stol(digits.empty() ? "0" : digits, nullptr, 16);
  return certificate.not_after - life / 3 + life / 30 / kDraws * drawn;
}

void renew_certificate_on_disk(const DeviceConfig& device, const Layout& layout) {
  const fs::path file = certificate_file(layout);
  const fs::path fresh_file = file.string() + ".new";
  const trust::PrivateKey key = trust::load_private_key(private_key_of(device, layout));
  const std::string old = base::read_file(file, kMaxPemBytes);
  const trust::CertificateInfo old_info = trust::describe_certificate(old);
  const std::string fresh = renew_certificate(
      device, layout, {.certificate_pem = old, .csr_pem = trust::make_csr(key, device.thing_name)});
  check(fresh, key, base::read_file(ca_file(layout), kMaxPemBytes), old_info);
  base::write_file_atomically(fresh_file, fresh);
  prove(device, layout, fresh_file);
  base::write_file_atomically(file, fresh);
  fs::remove(fresh_file);
}

CertificateRenewer::CertificateRenewer(Parts parts)
    : parts_(std::move(parts)),
      certificate_(parts_.read()),
      retry_(kFirstRetry),
      between_questions_(kForAnAnswer),
      worker_(parts_.loop) {
  look_later(milliseconds{0});
}

CertificateRenewer::~CertificateRenewer() {
  parts_.loop.cancel(timer_);
}

void CertificateRenewer::look_later(milliseconds delay) {
  timer_ = parts_.loop.after(delay, [this] {
    timer_ = 0;
    look();
  });
}

milliseconds CertificateRenewer::left() const {
  return std::chrono::ceil<milliseconds>(renewal_time(certificate_) - parts_.time.now());
}

milliseconds CertificateRenewer::next_question() {
  const milliseconds delay = half_drawn(between_questions_);
  between_questions_ = std::min(between_questions_ * 2, kLastRetry);
  return delay;
}

void CertificateRenewer::look() {
  const bool is_due = left() <= milliseconds{0};
  const bool has_waited = std::exchange(has_looked_, true);
  // Usually the first answer over MQTT tells the time meanwhile; but where the certificate is over,
  // and this machine's clock does not know, there is no such connection.
  if (!parts_.time.is_known()) {
    return is_due || has_waited ? ask(is_due) : look_later(std::min(left(), kForAnAnswer));
  }
  if (is_due) return renew();
  if (!parts_.is_connected()) return ask(false);
  look_later(std::min(left(), kBetweenLooks));
}

void CertificateRenewer::ask(bool is_due) {
  is_working_ = true;
  worker_.run([this] { word_ = parts_.ask(); },
              [this, is_due](const std::exception_ptr& failure) {
                is_working_ = false;
                heard(is_due, failure);
              });
}

void CertificateRenewer::heard(bool was_due, const std::exception_ptr& failure) {
  if (failure) {
    // Offline is no problem of a certificate that is good.
    return was_due ? on_attempt(failure) : look_later(next_question());
  }
  parts_.time.learn(word_.time);
  if (!word_.takes_certificate || left() <= milliseconds{0}) return renew();
  look_later(std::min(left(), parts_.is_connected() ? kBetweenLooks : next_question()));
}

void CertificateRenewer::renew() {
  is_working_ = true;
  worker_.run(parts_.renew, [this](const std::exception_ptr& failure) {
    is_working_ = false;
    on_attempt(failure);
  });
}

void CertificateRenewer::connection_changed(bool is_connected) {
  if (is_connected) {
    asks_soon_ = false;
    between_questions_ = kForAnAnswer;
    return;
  }
  // Once for each time that it is lost; before the first look there is one soon anyway.
  if (!has_looked_ || is_working_ || std::exchange(asks_soon_, true)) return;
  parts_.loop.cancel(timer_);
  look_later(next_question());
}

void CertificateRenewer::on_attempt(const std::exception_ptr& failure) {
  try {
    if (failure) std::rethrow_exception(failure);
    certificate_ = parts_.read();
    problem_.clear();
    retry_ = kFirstRetry;
    base::log_info("the device's certificate was renewed",
                   {{"until", base::to_iso8601(certificate_.not_after)}});
    // One whose whole life is short is due again at once: not before the first retry's time.
    look_later(kFirstRetry);
    parts_.on_renewed();
  } catch (const Error& error) {
    problem_ = error.message();
    if (error.code() == ErrorCode::permission_denied) retry_ = kLastRetry;
    const milliseconds delay = half_drawn(retry_);
    retry_ = std::min(retry_ * 2, kLastRetry);
    base::log_error("the device's certificate could not be renewed",
                    {{"why", problem_},
                     {"until", base::to_iso8601(certificate_.not_after)},
                     {"retryInSeconds", delay.count() / 1000}});
    look_later(delay);
  }
  parts_.on_change();
}

json::object CertificateRenewer::status() const {
  json::object status = describe(certificate_);
  if (!problem_.empty()) status["problem"] = problem_;
  return status;
}

json::object certificate_status(const Layout& layout) {
  const auto pem = base::read_file_if_exists(certificate_file(layout), kMaxPemBytes);
  return pem ? describe(trust::describe_certificate(*pem)) : json::object{};
}

}  // namespace andon::edge
