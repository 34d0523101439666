// SPDX-License-Identifier: Apache-2.0
#include "fleet/provisioning/provisioning_message.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/split.hpp"

namespace andon::fleet {
namespace {

constexpr std::string_view kTemplates = "$aws/provisioning-templates/";
constexpr std::string_view kCertificates = "$aws/certificates/";
constexpr std::string_view kProvision = "/provision/json";
constexpr std::size_t kMaxTemplateName = 36;
constexpr std::size_t kMaxParameters = 100;
constexpr std::size_t kMaxParameterBytes = 4096;
constexpr std::size_t kMaxCsrBytes = 16'384;
constexpr std::size_t kMaxTokenBytes = 512;

std::string in_hex(std::string_view text) {
  return base::to_hex({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

}  // namespace

bool is_template_name(std::string_view name) {
  return name.size() <= kMaxTemplateName && base::is_name_of(name, "_-");
}

std::string provision_topic(std::string_view template_name) {
  return std::string(kTemplates).append(template_name).append(kProvision);
}

std::optional<ProvisioningTopic> parse_provisioning_topic(std::string_view topic) {
  if (topic == kCreateKeysTopic) return ProvisioningTopic{ProvisioningAsk::create_keys, {}};
  if (topic == kCreateFromCsrTopic) return ProvisioningTopic{ProvisioningAsk::create_from_csr, {}};
  if (!topic.starts_with(kTemplates) || !topic.ends_with(kProvision)) return std::nullopt;
  if (topic.size() < kTemplates.size() + kProvision.size()) return std::nullopt;
  topic.remove_prefix(kTemplates.size());
  topic.remove_suffix(kProvision.size());
  if (!is_template_name(topic)) return std::nullopt;
  return ProvisioningTopic{ProvisioningAsk::provision, std::string(topic)};
}

bool is_provisioning_topic(std::string_view topic) {
  return topic.starts_with(kTemplates) || topic.starts_with(kCertificates);
}

std::string question_topic(const ProvisioningQuestion& question) {
  return std::string(kQuestions) + in_hex(question.client_id) + "/" + question.certificate + "/" +
         question.topic;
}

std::optional<ProvisioningQuestion> parse_question_topic(std::string_view topic) {
  if (!topic.starts_with(kQuestions)) return std::nullopt;
  topic.remove_prefix(kQuestions.size());
  const auto client = base::from_hex(base::take_part(topic, '/'));
  const std::string_view certificate = base::take_part(topic, '/');
  if (!client || !parse_provisioning_topic(topic)) return std::nullopt;
  return ProvisioningQuestion{*client, std::string(certificate), std::string(topic)};
}

std::string delivery_topic(const Delivery& delivery) {
  return std::string(kDeliveries) + in_hex(delivery.client_id) + "/" + delivery.topic;
}

std::optional<Delivery> parse_delivery_topic(std::string_view topic) {
  if (!topic.starts_with(kDeliveries)) return std::nullopt;
  topic.remove_prefix(kDeliveries.size());
  const auto client = base::from_hex(base::take_part(topic, '/'));
  if (!client || topic.empty()) return std::nullopt;
  return Delivery{*client, std::string(topic)};
}

std::string read_csr_question(const json::object& question) {
  const base::JsonReader reader(question, "", {.separator = ": "});
  std::string csr = reader.required_text("certificateSigningRequest");
  if (csr.size() > kMaxCsrBytes) reader.fail("certificateSigningRequest", "is too long");
  return csr;
}

ProvisionQuestion read_provision_question(const json::object& question) {
  const base::JsonReader reader(question, "", {.separator = ": "});
  ProvisionQuestion read;
  read.ownership_token = reader.required_text("certificateOwnershipToken");
  if (read.ownership_token.size() > kMaxTokenBytes) {
    reader.fail("certificateOwnershipToken", "is too long");
  }
  if (reader.has("parameters")) read.parameters = reader.string_map("parameters");
  if (read.parameters.size() > kMaxParameters) reader.fail("parameters", "are more than 100");
  const bool is_long =
      std::any_of(read.parameters.begin(), read.parameters.end(), [](const auto& parameter) {
        return parameter.first.size() + parameter.second.size() > kMaxParameterBytes;
      });
  if (is_long) reader.fail("parameters", "must have names and values of at most 4096 bytes");
  return read;
}

json::object make_provisioning_refusal(int status, std::string_view code,
                                       std::string_view message) {
  return {{"statusCode", status}, {"errorCode", code}, {"errorMessage", message}};
}

}  // namespace andon::fleet
