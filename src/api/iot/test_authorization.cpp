// SPDX-License-Identifier: Apache-2.0
// What the broker would say to a certificate or a consumer, by the broker's own decision
// (rights/topic_rights.hpp).
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "api/iot/rows.hpp"
#include "api/table/members.hpp"
#include "base/json/json_reader.hpp"
#include "control/iotpolicy/compiled_policies.hpp"
#include "rights/topic_filter.hpp"
#include "rights/topic_rights.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;
using control::PolicyTarget;
using rights::Ruling;
using rights::TopicRights;

constexpr std::size_t kMostInfos = 10;
constexpr std::size_t kMostResources = 100;
constexpr std::size_t kMostNames = 50;

// Who is asked about, as the broker knows it.
struct Subject {
  rights::Principal principal;
  std::string thing;
  std::string certificate_pem;
};

Subject read_subject(const control::ControlPlane& control, const json::object& input) {
  const PolicyTarget target = control::read_policy_target(required_text(input, "principal"));
  std::string credential = target.name;
  std::string pem;
  if (target.kind == PolicyTarget::Kind::thing_group) {
    throw Error(ErrorCode::invalid_argument, "principal: a thing group does not connect");
  }
  if (target.kind == PolicyTarget::Kind::consumer) {
    const auto consumer = control.consumers.find(target.name);
    if (!consumer) {
      throw Error(ErrorCode::not_found, "there is no consumer \"" + target.name + "\"");
    }
    credential = consumer->credential;
  } else {
    const auto certificate = control.certificates.find(target.name);
    if (!certificate) {
      throw Error(ErrorCode::not_found, "there is no certificate " + target.name);
    }
    pem = certificate->pem;
  }
  const auto holder = control.rights.at_broker(credential);
  if (!holder) {
    throw Error(ErrorCode::failed_precondition,
                "principal: the certificate is not ACTIVE, or over: nothing is allowed to it");
  }
  const bool is_thing = !holder->thing.empty();
  return {
      .principal = {.kind = is_thing ? rights::PrincipalKind::thing : rights::PrincipalKind::client,
                    .name = is_thing ? holder->thing : holder->name,
                    .policies = holder->policies},
      .thing = holder->thing,
      .certificate_pem = std::move(pem)};
}

std::vector<std::string> read_names(const json::object& input, std::string_view key) {
  const base::JsonReader reader(input, "", {.separator = ": "});
  if (!reader.has(key)) return {};
  std::vector<std::string> names = reader.strings(key);
  if (names.size() > kMostNames) reader.fail(key, "has more than 50 names");
  return names;
}

// "topic/a" of "arn:aws:iot:<region>:<account>:topic/a", whatever its region and account.
std::string_view resource_of(std::string_view arn, std::string_view kind) {
  constexpr int kBefore = 5;
  std::string_view rest = arn;
  for (int i = 0; i < kBefore && !rest.empty(); ++i) {
    rest.remove_prefix(std::min(rest.find(':'), rest.size() - 1) + 1);
  }
  if (!arn.starts_with("arn:aws:iot:") || !rest.starts_with(kind)) {
    throw Error(ErrorCode::invalid_argument,
                "authInfos.resources: \"" + std::string(arn.substr(0, 200)) +
                    "\" must be an ARN: arn:aws:iot:REGION:ACCOUNT:" + std::string(kind) + "...");
  }
  return rest.substr(kind.size());
}

class Examiner {
 public:
  Examiner(const rights::Principal& principal, std::shared_ptr<const policy::PolicySet> policies,
           const control::Arns& arns, std::string client_id)
      : principal_(principal),
        policies_(std::move(policies)),
        realm_(arns.target("")),
        client_id_(std::move(client_id)) {}

  [[nodiscard]] Ruling examine(std::string_view action, std::string_view arn) const {
    if (action == "CONNECT") {
      const std::string_view id = resource_of(arn, "client/");
      return rights_of(id).connect();
    }
    const TopicRights rights = rights_of(client_id_);
    if (action == "PUBLISH") return rights.publish(resource_of(arn, "topic/"));
    if (action == "RECEIVE") return rights.receive(resource_of(arn, "topic/"));
    return rights.subscribe(rights::without_share(resource_of(arn, "topicfilter/")));
  }

 private:
  [[nodiscard]] TopicRights rights_of(std::string_view client_id) const {
    return {principal_, policies_, realm_, {.client_id = std::string(client_id), .source_ip = {}}};
  }

  const rights::Principal& principal_;
  std::shared_ptr<const policy::PolicySet> policies_;
  std::string realm_;
  std::string client_id_;
};

json::array named(const control::ControlPlane& control, const Ruling& ruling) {
  if (ruling.policy == nullptr) return {};
  return {json::object{{"policyName", ruling.policy->name},
                       {"policyArn", control.iot_policies.arn(ruling.policy->name)}}};
}

// Of several resources the worst counts.
Ruling worse(const Ruling& one, const Ruling& other) {
  const auto badness = [](const Ruling& ruling) {
    if (ruling.is_allowed) return 0;
    return ruling.verdict == policy::Verdict::denied_explicitly ? 2 : 1;
  };
  return badness(other) > badness(one) ? other : one;
}

json::object describe(const control::ControlPlane& control, const json::value& info,
                      const Ruling& ruling) {
  json::object result{{"authInfo", info}, {"missingContextValues", json::array()}};
  const json::object policies{{"policies", named(control, ruling)}};
  if (ruling.is_allowed) {
    result["allowed"] = policies;
    result["authDecision"] = "ALLOWED";
    return result;
  }
  const bool is_explicit = ruling.verdict == policy::Verdict::denied_explicitly;
  result["denied"] = json::object{{is_explicit ? "explicitDeny" : "implicitDeny", policies}};
  result["authDecision"] = is_explicit ? "EXPLICIT_DENY" : "IMPLICIT_DENY";
  return result;
}

json::value test(const control::ControlPlane& control, const OperationContext& context) {
  Subject subject = read_subject(control, context.input);
  std::vector<std::string>& names = subject.principal.policies;
  for (const std::string& name : read_names(context.input, "policyNamesToSkip")) {
    std::erase(names, name);
  }
  for (std::string& name : read_names(context.input, "policyNamesToAdd")) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  subject.principal.facts = control.rights.facts_for(names, subject.thing, subject.certificate_pem);
  std::string client_id = text_or_empty(context.input, "clientId");
  if (client_id.empty()) client_id = subject.principal.name;
  const Examiner examiner(subject.principal, compile_policies(control.iot_policies, names),
                          control.arns, std::move(client_id));
  const base::JsonReader reader(context.input, "", {.separator = ": "});
  const auto infos = reader.children("authInfos");
  if (infos.empty() || infos.size() > kMostInfos) {
    reader.fail("authInfos", "must be a list of 1 to 10");
  }
  json::array results;
  for (const base::JsonReader& info : infos) {
    const std::string action =
        word_or_empty(info.object(), "actionType", {"PUBLISH", "SUBSCRIBE", "RECEIVE", "CONNECT"});
    if (action.empty()) info.fail("actionType", "is missing");
    const std::vector<std::string> resources = info.strings("resources");
    if (resources.empty() || resources.size() > kMostResources) {
      info.fail("resources", "must be a list of 1 to 100 ARNs");
    }
    std::optional<Ruling> ruling;
    for (const std::string& resource : resources) {
      const Ruling one = examiner.examine(action, resource);
      ruling = ruling ? worse(*ruling, one) : one;
    }
    results.emplace_back(describe(control, info.object(), *ruling));
  }
  return json::object{{"authResults", std::move(results)}};
}

}  // namespace

std::vector<Operation> test_authorization_operations(control::ControlPlane& control) {
  return {iot_row(control, "TestAuthorization", "POST", "/test-authorization", test)};
}

}  // namespace andon::api
