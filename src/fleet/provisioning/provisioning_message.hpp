// SPDX-License-Identifier: Apache-2.0
// Fleet provisioning over MQTT, as AWS IoT has it: a client with a claim certificate asks for a
// certificate of its own, then for its place in the fleet by a template, and is answered on
// .../accepted or .../rejected. The answer is for the one that asked, subscribed or not, so the
// broker hands each question to the server with its sender, and the server's answer to that client
// alone: on topics of their own, which are spelled here. Values; pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/json/json.hpp"

namespace andon::fleet {

namespace json = base::json;

enum class ProvisioningAsk : std::uint8_t { create_keys, create_from_csr, provision };

struct ProvisioningTopic {
  ProvisioningAsk ask = ProvisioningAsk::create_keys;
  std::string template_name;  // of provision
};
// A question's topic ("$aws/certificates/create/json"); nothing for any other.
[[nodiscard]] std::optional<ProvisioningTopic> parse_provisioning_topic(std::string_view topic);
// Of a question or an answer: nobody receives those by subscribing.
[[nodiscard]] bool is_provisioning_topic(std::string_view topic);
[[nodiscard]] bool is_template_name(std::string_view name);  // 1 to 36 of [A-Za-z0-9_-]

inline constexpr std::string_view kCreateKeysTopic = "$aws/certificates/create/json";
inline constexpr std::string_view kCreateFromCsrTopic = "$aws/certificates/create-from-csr/json";
[[nodiscard]] std::string provision_topic(std::string_view template_name);

// Who has asked what.
struct ProvisioningQuestion {
  std::string client_id;
  std::string certificate;  // its id
  std::string topic;
};
// On which the broker hands a question to the server, with the payload as it is; only the broker
// publishes there.
[[nodiscard]] std::string question_topic(const ProvisioningQuestion& question);
[[nodiscard]] std::optional<ProvisioningQuestion> parse_question_topic(std::string_view topic);
inline constexpr std::string_view kQuestionFilter = "$SYS/broker/andon/questions/#";
inline constexpr std::string_view kQuestions =
    kQuestionFilter.substr(0, kQuestionFilter.size() - 1);

// On which the server has the broker hand a message to one client.
struct Delivery {
  std::string client_id;
  std::string topic;
};
inline constexpr std::string_view kDeliveries = "andon/deliver/";
[[nodiscard]] std::string delivery_topic(const Delivery& delivery);
[[nodiscard]] std::optional<Delivery> parse_delivery_topic(std::string_view topic);

// What is asked, and read: throws invalid_argument.
[[nodiscard]] std::string read_csr_question(const json::object& question);
struct ProvisionQuestion {
  std::string ownership_token;
  std::map<std::string, std::string> parameters;
};
[[nodiscard]] ProvisionQuestion read_provision_question(const json::object& question);

[[nodiscard]] json::object make_provisioning_refusal(int status, std::string_view code,
                                                     std::string_view message);

}  // namespace andon::fleet
