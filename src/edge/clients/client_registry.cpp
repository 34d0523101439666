// SPDX-License-Identifier: Apache-2.0
#include "edge/clients/client_registry.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

using std::chrono::milliseconds;

constexpr unsigned kOwnFile = 0600;
constexpr std::size_t kMostBytes = 4U << 20U;
constexpr std::size_t kMostDepth = 8;
constexpr std::size_t kMostWaiting = 1000;
// Strangers at the broker must not have the server asked all the time.
constexpr milliseconds kBetween{5000};

fleet::ClientDeviceList parse(const std::string& body) {
  return fleet::read_client_device_list(
      base::parse_json(body, "the list of client devices", {kMostBytes, kMostDepth}));
}

}  // namespace

ClientRegistry::~ClientRegistry() {
  parts_.loop.cancel(timer_);
}

void ClientRegistry::start(std::chrono::minutes period) {
  period_ = period;
  if (std::exchange(is_started_, true)) return;
  is_asking_ = true;
  read();
}

void ClientRegistry::stop() {
  is_started_ = false;
  parts_.loop.cancel(std::exchange(timer_, 0));
}

void ClientRegistry::connection_changed(bool is_connected) {
  if (is_connected && is_started_) ask();
}

void ClientRegistry::read() {
  const auto answer = std::make_shared<Answer>();
  worker_.run(
      [answer, file = parts_.file] {
        answer->body = base::read_file_if_exists(file, kMostBytes);
        if (answer->body) answer->list = parse(*answer->body);
      },
      [this, answer](const std::exception_ptr& error) {
        is_asking_ = false;
        is_read_ = true;
        // What cannot be read the server says again.
        if (!error && answer->body) adopt(std::move(*answer));
        parts_.on_answer();
        if (is_started_) ask();
      });
}

void ClientRegistry::ask_again(std::function<void()> done) {
  if (done && waiting_.size() < kMostWaiting) waiting_.push_back(std::move(done));
  const auto since = asked_ ? parts_.loop.now() - *asked_ : kBetween;
  const auto rest = std::chrono::duration_cast<milliseconds>(kBetween - since);
  ask_in(std::max(milliseconds{0}, rest));
}

void ClientRegistry::ask_in(milliseconds delay) {
  parts_.loop.cancel(timer_);
  timer_ = parts_.loop.after(delay, [this] {
    timer_ = 0;
    ask();
  });
}

void ClientRegistry::ask() {
  ask_in(period_);
  if (std::exchange(is_asking_, true)) return;
  asked_ = parts_.loop.now();
  const auto answer = std::make_shared<Answer>();
  worker_.run(
      [answer, known = digest_, ask = parts_.ask, file = parts_.file] {
        answer->body = ask(known);
        if (!answer->body) return;
        answer->list = parse(*answer->body);
        base::write_file_atomically(file, *answer->body, kOwnFile);
      },
      [this, answer](const std::exception_ptr& error) { take(std::move(*answer), error); });
}

void ClientRegistry::take(Answer answer, const std::exception_ptr& error) {
  is_asking_ = false;
  std::string problem;
  try {
    if (error) std::rethrow_exception(error);
    if (answer.body) adopt(std::move(answer));
  } catch (const base::Error& wrong) {
    problem =
        "the server does not say who the client devices are, those that it named last are "
        "let in: " +
        wrong.message();
  }
  if (problem != problem_) {
    if (!problem.empty()) base::log_warning("client devices", {{"why", problem}});
    problem_ = problem;
    parts_.note({NoteCode::client_devices_not_known, problem});
  }
  parts_.on_answer();
  for (const auto& done : std::exchange(waiting_, {})) done();
}

void ClientRegistry::adopt(Answer answer) {
  digest_ = trust::sha256_hex(*answer.body);
  if (answer.list == list_) return;
  list_ = std::move(answer.list);
  things_.clear();
  for (const auto& [thing, certificates] : list_.certificates) {
    for (const std::string& id : certificates) things_[id] = thing;
  }
  ++generation_;
}

std::optional<std::string> ClientRegistry::thing_of(const std::string& fingerprint) const {
  const auto found = things_.find(fingerprint);
  if (found == things_.end()) return std::nullopt;
  return found->second;
}

}  // namespace andon::edge
