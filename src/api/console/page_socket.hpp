// SPDX-License-Identifier: Apache-2.0
// The one WebSocket of an open page: what it sees of the broker, by a connection of its own, so
// that it is given what is retained and holds nobody else up; and the frames of a device that it
// looks at (live_frames.hpp). Each subscription and each look is decided by the person's policies
// and recorded, and so is each message. The page is sent the newest: at most kMostWaiting messages
// and one frame wait for it; older ones are dropped, messages counted. Any thread.
//
// To the page: {"subscribed": F}, {"unsubscribed": F}, {"refused": F, "code", "message"},
// {"messages": [{"topic", "payload" or "base64", "bytes", "qos", "retained", "time"}], "dropped"},
// {"watching": {"thing", "component"}}, {"frame": {...}, "jpeg": "..."},
// {"frameTrouble": {"thing", "component", "code", "message"}}.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "api/console/live_frames.hpp"
#include "api/console/topic_sight.hpp"
#include "api/signin/sign_in.hpp"
#include "api/table/authorizer.hpp"
#include "base/json/fwd.hpp"
#include "base/time/time.hpp"
#include "control/audit/audit_log.hpp"
#include "fleet/names/arn.hpp"
#include "wire/http/http.hpp"
#include "wire/mqtt/mqtt_client.hpp"
#include "wire/websocket/web_socket.hpp"

namespace andon::api {

struct PageSocketParts {
  SignIn& sign_in;
  const fleet::Arns& arns;
  const base::Clock& clock;
  wire::MqttOptions broker;  // as the server itself connects
  LiveFrames& frames;
  const Authorizer* authorizer = nullptr;  // null: nobody but the account may
  control::AuditLog* audit = nullptr;      // null: nothing is recorded
};

class PageSocket : public std::enable_shared_from_this<PageSocket> {
 public:
  static constexpr std::size_t kMostFilters = 20;
  static constexpr std::size_t kMostWaiting = 500;
  static constexpr std::size_t kMostWaitingBytes = 1U << 20U;
  // Of a payload as it is shown.
  static constexpr std::size_t kMostShown = 64U << 10U;

  // `request` is the one that asks for the socket, of `who`.
  PageSocket(const PageSocketParts& parts, wire::HttpRequest request, SessionCaller who,
             std::function<void()> on_gone);
  PageSocket(const PageSocket&) = delete;
  PageSocket& operator=(const PageSocket&) = delete;
  ~PageSocket() { unwatch(); }

  // For the response; keeps the page until the socket is gone.
  [[nodiscard]] std::shared_ptr<wire::WebSocket> make_socket();
  // Looks again whether the session still is and what it may; ends the page, or what it may not
  // have any more.
  void look_again();
  void end(wire::WebSocketEnd how);
  [[nodiscard]] bool is_gone() const;
  // Ends the connection to the broker, of a page that is gone; waits for that.
  void disconnect();

 private:
  struct Seen {
    wire::MqttMessage message;
    base::Timestamp time;
  };
  void take_text(const std::string& text);
  void subscribe(const std::string& filter);
  void unsubscribe(const std::string& filter);
  void watch(const LiveFrames::What& what);
  void unwatch();
  void take_frame(std::uint64_t look, FrameText frame);
  // The sentence that refuses it.
  [[nodiscard]] std::optional<std::string> why_not_watch(const Caller& caller,
                                                         const LiveFrames::What& what) const;
  [[nodiscard]] std::string frame_arn(const LiveFrames::What& what) const;
  void refuse_frame(const LiveFrames::What& what, std::string_view code,
                    const std::string& message);
  void record(std::string_view service, std::string_view operation, control::AuditAccess access,
              const std::string& resource, const std::optional<std::string>& denied) const;
  // The sentence that refuses it.
  [[nodiscard]] std::optional<std::string> why_not_subscribe(const Caller& caller,
                                                             const std::string& filter) const;
  [[nodiscard]] bool may_see(const std::string& topic);
  void take(const std::string& filter, const wire::MqttMessage& message);
  [[nodiscard]] std::optional<std::string> next();
  void tell(base::json::object reply);
  [[nodiscard]] std::string arn(std::string_view kind, const std::string& name) const;
  [[nodiscard]] static base::json::object shown(const Seen& seen);

  const PageSocketParts& parts_;
  const wire::HttpRequest request_;  // its cookie is the session's
  const std::function<void()> on_gone_;
  mutable std::mutex mutex_;  // guards what follows
  SessionCaller who_;
  std::weak_ptr<wire::WebSocket> socket_;
  std::map<std::string, std::uint64_t, std::less<>> subscriptions_;  // by filter
  std::unordered_map<std::string, bool> may_see_;                    // remembered, by topic
  std::deque<std::string> replies_;
  std::deque<Seen> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t dropped_ = 0;
  bool is_gone_ = false;
  std::optional<LiveFrames::What> watched_;
  std::uint64_t look_ = 0;  // rises with each watch: what was asked for before is not shown
  std::uint64_t viewer_ = 0;
  FrameText frame_;  // the newest that was not sent yet
  // Made with the first subscription. Last: its thread uses all of the above.
  std::unique_ptr<wire::MqttClient> client_;
};

}  // namespace andon::api
