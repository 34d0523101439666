// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/signature.hpp"

#include <algorithm>
#include <optional>

#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "trust/digests/digest.hpp"

namespace andon::events {
namespace {

constexpr std::chrono::minutes kTolerance{5};
constexpr std::size_t kMostId = 128;
constexpr std::size_t kMostEvent = 64;
constexpr std::string_view kKeyMark = "whsec_";  // before a key in base64
constexpr std::string_view kUnsigned = "it has no signature of a forge that is known";
constexpr std::string_view kOtherSecret = "its signature was not made with the webhook's secret";
constexpr std::string_view kNotNow =
    "it says that it was signed at another time than now: look at the clocks";

std::string header(const wire::Headers& headers, std::string_view name) {
  return std::string(headers.find(name).value_or(""));
}

// "Tag Push Hook" is tag_push: as the others name it.
std::string event_name(std::string_view text) {
  std::string name = base::to_lower(text.substr(0, kMostEvent));
  constexpr std::string_view kHook = " hook";
  if (name.ends_with(kHook)) name.resize(name.size() - kHook.size());
  std::ranges::replace(name, ' ', '_');
  return base::is_name_of(name, "_-.") ? name : "unknown";
}

bool is_signed(std::string_view given, std::string_view body, const std::string& secret) {
  return trust::equal_in_constant_time(base::to_hex(trust::hmac_sha256(secret, body)),
                                       base::to_lower(given));
}

// Whatever their lengths.
bool is_same(std::string_view left, std::string_view right) {
  return trust::equal_in_constant_time(trust::sha256_hex(left), trust::sha256_hex(right));
}

// Of GitLab's newer form; nothing where it is good.
std::optional<std::string_view> doubt_of_signed(const wire::Headers& headers, std::string_view body,
                                                const std::string& secret, base::Timestamp now) {
  const std::string id = header(headers, "webhook-id");
  const std::string time = header(headers, "webhook-timestamp");
  const auto seconds = base::parse_integer<std::int64_t>(time, 0, 253'402'300'799);
  if (!seconds) return kUnsigned;
  const auto age = now - base::from_epoch_millis(*seconds * 1000);
  if (age > kTolerance || age < -kTolerance) return kNotNow;
  std::string key = secret;
  if (secret.starts_with(kKeyMark)) {
    const auto bytes = base::from_base64(std::string_view(secret).substr(kKeyMark.size()));
    if (!bytes) return kOtherSecret;
    key = *bytes;
  }
  const auto mac = trust::hmac_sha256(key, id + "." + time + "." + std::string(body));
  const std::string wanted =
      "v1," + base::to_base64({reinterpret_cast<const char*>(mac.data()), mac.size()});
  const std::string given = header(headers, "webhook-signature");
  bool is_good = false;  // one of them is enough
  for (const std::string_view one : base::split_words(given, " ")) {
    is_good = trust::equal_in_constant_time(one, wanted) || is_good;
  }
  if (is_good) return std::nullopt;
  return kOtherSecret;
}

}  // namespace

std::variant<Push, Doubt> verify_push(const wire::Headers& headers, std::string_view body,
                                      const std::string& secret, base::Timestamp now) {
  const auto made = [&](std::string_view forge, std::string_view event, std::string_view id) {
    return Push{std::string(forge), event_name(header(headers, event)),
                header(headers, id).substr(0, kMostId)};
  };
  if (secret.empty()) return Doubt{.forge = {}, .reason = kUnsigned};
  // Before GitHub's: Gitea sends that, too.
  if (const auto given = headers.find("X-Gitea-Signature")) {
    if (!is_signed(*given, body, secret)) return Doubt{.forge = "gitea", .reason = kOtherSecret};
    return made("gitea", "X-Gitea-Event", "X-Gitea-Delivery");
  }
  if (const auto given = headers.find("X-Hub-Signature-256")) {
    constexpr std::string_view kAlgorithm = "sha256=";
    if (!given->starts_with(kAlgorithm) ||
        !is_signed(given->substr(kAlgorithm.size()), body, secret)) {
      return Doubt{.forge = "github", .reason = kOtherSecret};
    }
    return made("github", "X-GitHub-Event", "X-GitHub-Delivery");
  }
  if (headers.find("webhook-signature")) {
    if (const auto reason = doubt_of_signed(headers, body, secret, now)) {
      return Doubt{.forge = "gitlab", .reason = *reason};
    }
    return made("gitlab", "X-Gitlab-Event", "webhook-id");
  }
  if (const auto given = headers.find("X-Gitlab-Token")) {
    if (!is_same(*given, secret)) return Doubt{.forge = "gitlab", .reason = kOtherSecret};
    Push push = made("gitlab", "X-Gitlab-Event", "Idempotency-Key");
    if (push.delivery.empty()) push.delivery = header(headers, "X-Gitlab-Event-UUID");
    return push;
  }
  return Doubt{.forge = {}, .reason = kUnsigned};
}

}  // namespace andon::events
