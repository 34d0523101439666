// SPDX-License-Identifier: Apache-2.0
#include "api/table/authorizer.hpp"

#include <array>
#include <set>
#include <utility>

#include "api/table/catalogue/access_rows.hpp"
#include "base/json/json.hpp"
#include "base/text/split.hpp"
#include "control/components/components.hpp"
#include "control/parameters/rules.hpp"
#include "control/parameters/secrets.hpp"
#include "events/rules/types.hpp"
#include "events/schedule/schedules.hpp"
#include "functions/package/packages.hpp"
#include "policy/decision/decision.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using control::EntityKind;

// A text that another process or person wrote is shown only so far.
constexpr std::size_t kMostShown = 600;

std::optional<std::string> text_member(const json::object& input, std::string_view key) {
  const json::value* value = input.if_contains(key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->as_string());
}

struct ArnParts {
  std::string service;
  std::string resource;  // what stands behind the account
};

// As the operations split them: whatever stands for region and account is not looked at.
std::optional<ArnParts> split_arn(std::string_view text) {
  constexpr std::size_t kColons = 5;
  if (!text.starts_with("arn:")) return std::nullopt;
  std::string service;
  for (std::size_t i = 0; i < kColons; ++i) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    if (i == 2) service = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  return ArnParts{.service = std::move(service), .resource = std::string(text)};
}

// Where the qualifier of a state machine begins ("stateMachine:M:PROD"); npos where there is none.
std::size_t qualifier_at(std::string_view resource) {
  constexpr std::string_view kMachine = "stateMachine:";
  if (!resource.starts_with(kMachine)) return std::string_view::npos;
  return resource.find(':', kMachine.size());
}

// Which version or alias of a state machine is meant, as AWS has it: the resource is the machine.
void add_qualifier(const json::object& input, policy::Context& keys) {
  for (const auto* member : {"stateMachineArn", "stateMachineAliasArn", "stateMachineVersionArn"}) {
    const auto value = text_member(input, member);
    const auto parts = value ? split_arn(*value) : std::nullopt;
    const std::size_t at = parts ? qualifier_at(parts->resource) : std::string::npos;
    if (at != std::string::npos) {
      keys.set("states:statemachinequalifier", parts->resource.substr(at + 1));
    }
  }
}

class Resolver {
 public:
  Resolver(const AccessRow& row, const json::object& input, const Caller& caller,
           const fleet::Arns& arns, const control::Iam& iam, const control::Secrets* secrets)
      : row_(row), input_(input), caller_(caller), arns_(arns), iam_(iam), secrets_(secrets) {}

  // A resource; for a member that is a list, one for each of its texts. Nothing where its members
  // are absent.
  [[nodiscard]] std::vector<std::string> resolve_all(std::string_view text) const {
    if (text == "event-bus/{Entries}") return buses();
    std::vector<std::string> resources;
    const json::array* const list = list_in(text);
    if (list == nullptr) {
      if (auto resource = resolve(text, input_)) resources.push_back(*std::move(resource));
      return resources;
    }
    for (const json::value& item : *list) {
      const json::object one{{member_in(text), item}};
      if (auto resource = resolve(text, one)) resources.push_back(*std::move(resource));
    }
    return resources;
  }

 private:
  // The first member that is named in braces.
  [[nodiscard]] static std::string_view member_in(std::string_view text) {
    const std::size_t brace = text.find('{');
    if (brace == std::string_view::npos) return {};
    text = text.substr(brace + 1, text.find('}', brace) - brace - 1);
    if (text.starts_with('@')) text.remove_prefix(1);
    return text;
  }

  [[nodiscard]] const json::array* list_in(std::string_view text) const {
    const json::value* const value = input_.if_contains(member_in(text));
    return value == nullptr ? nullptr : value->if_array();
  }

  [[nodiscard]] std::optional<std::string> resolve(std::string_view text,
                                                   const json::object& input) const {
    if (row_.service == "secretsmanager") return secret(text_member(input, member_in(text)));
    for (const auto kind : {EntityKind::user, EntityKind::group, EntityKind::role}) {
      const std::string prefix = std::string(control::to_string(kind)) + ":{";
      if (row_.service == "iam" && text.starts_with(prefix)) {
        return entity(kind, text.substr(prefix.size(), text.size() - prefix.size() - 1));
      }
    }
    if (text.starts_with('{') && text.find('}') + 1 == text.size()) {
      const auto value = text_member(input, text.substr(1, text.size() - 2));
      if (!value) return std::nullopt;
      // The whole of a pipeline's resource is its name.
      if (row_.service == "codepipeline") return own_arn(row_.service, *value);
      const auto parts = split_arn(*value);
      // What is no ARN is for the operation to refuse.
      if (!parts || is_global()) return *value;
      const std::size_t end = qualifier_at(parts->resource);
      return own_arn(parts->service, std::string_view(parts->resource).substr(0, end));
    }
    std::string filled;
    while (!text.empty()) {
      const std::size_t brace = text.find('{');
      filled += text.substr(0, brace);
      if (brace == std::string_view::npos) break;
      const std::size_t end = text.find('}', brace);
      std::string_view name = text.substr(brace + 1, end - brace - 1);
      text.remove_prefix(end + 1);
      if (name.starts_with('/')) {  // with its slash, where it is given
        if (const auto value = text_member(input, name.substr(1))) filled += "/" + *value;
        continue;
      }
      const bool may_be_arn = name.starts_with('@');
      if (may_be_arn) name.remove_prefix(1);
      auto value = text_member(input, name);
      if (!value && name == "Path") value = "/";
      if (!value && row_.service == "scheduler" && name != "Name") {
        value = std::string(events::kDefaultGroup);
      }
      if (name == "EventBus/") value = bus_part();
      if (!value) return std::nullopt;
      filled += may_be_arn ? name_in(*value, filled) : *value;
    }
    return own_arn(row_.service, filled);
  }

  [[nodiscard]] bool is_global() const { return row_.service == "iam" || row_.service == "sts"; }

  [[nodiscard]] std::string own_arn(std::string_view service, std::string_view resource) const {
    if (service.starts_with("sagemaker-")) service = "sagemaker";  // its other APIs
    if (service == "iotdata") service = "iot";
    return "arn:aws:" + std::string(service) + ":" + (is_global() ? "" : arns_.region()) + ":" +
           arns_.account() + ":" + std::string(resource);
  }

  // What an ARN says behind `kind` ("log-group:"); a text that is no ARN as it is.
  [[nodiscard]] std::string name_in(const std::string& value, std::string_view kind) const {
    if (row_.service == "ssm") return control::parse_parameter_reference(value).key;
    if (row_.service == "codebuild") return project_in(value);
    auto parts = split_arn(value);
    if (!parts) return value;
    std::string_view name = parts->resource;
    // Its operations look behind the last colon.
    if (row_.service.starts_with("sagemaker")) name = name.substr(name.rfind(':') + 1);
    if (name.starts_with(kind)) name.remove_prefix(kind.size());
    if (row_.service == "logs" && name.ends_with(":*")) name.remove_suffix(2);
    // Behind a stack's name stands its id.
    if (row_.service == "cloudformation") name = name.substr(0, name.find('/'));
    return std::string(name);
  }

  // "NAME", "NAME:UUID" of a build, or an ARN of either.
  [[nodiscard]] static std::string project_in(const std::string& value) {
    const auto parts = split_arn(value);
    const std::string name = parts ? parts->resource.substr(parts->resource.find('/') + 1) : value;
    return name.substr(0, name.find(':'));
  }

  // Of the secret that the operation will find by the same text.
  [[nodiscard]] std::optional<std::string> secret(const std::optional<std::string>& id) const {
    if (!id) return std::nullopt;
    if (secrets_ != nullptr) {
      if (auto arn = secrets_->arn_of(*id)) return arn;
    }
    const control::SecretReference reference = control::parse_secret_reference(*id);
    if (!reference.suffix.empty()) {
      return control::secret_arn(arns_, reference.short_name, reference.suffix);
    }
    return control::secret_arn(arns_, reference.name, "??????");
  }

  // Of the entries of PutEvents, each once.
  [[nodiscard]] std::vector<std::string> buses() const {
    std::set<std::string> arns;
    const json::value* const entries = input_.if_contains("Entries");
    if (entries != nullptr && entries->is_array()) {
      for (const json::value& entry : entries->get_array()) {
        const json::object none;
        const json::object& members = entry.is_object() ? entry.get_object() : none;
        arns.insert(own_arn(
            "events",
            "event-bus/" + events::bus_name(text_member(members, "EventBusName").value_or(""))));
      }
    }
    return {arns.begin(), arns.end()};
  }

  // "BUS/", or "" for the default bus.
  [[nodiscard]] std::string bus_part() const {
    const std::string bus = events::bus_name(text_member(input_, "EventBusName").value_or(""));
    return bus == events::kDefaultBus ? "" : bus + "/";
  }

  [[nodiscard]] std::optional<std::string> entity(EntityKind kind, std::string_view member) const {
    const auto name = text_member(input_, member);
    if (!name) {
      const auto own = iam_.principals.find(caller_.principal);
      return own && kind == EntityKind::user ? std::optional(own->arn) : std::nullopt;
    }
    if (const auto found = iam_.entities.find(kind, *name)) return found->arn;
    return own_arn("iam", std::string(control::to_string(kind)) + "/" + *name);
  }

  const AccessRow& row_;
  const json::object& input_;
  const Caller& caller_;
  const fleet::Arns& arns_;
  const control::Iam& iam_;
  const control::Secrets* secrets_;
};

// The tags that a request brings: a map of texts, or a list of {Key, Value}.
void add_tags(const json::object& input, policy::Context& keys) {
  std::vector<std::string> names;
  const auto add = [&](std::string_view key, std::string value) {
    names.emplace_back(key);
    keys.set("aws:requesttag/" + std::string(key), std::move(value));
  };
  for (const auto* member : {"tags", "Tags"}) {
    const json::value* tags = input.if_contains(member);
    if (tags == nullptr) continue;
    if (const auto* map = tags->if_object()) {
      for (const auto& [key, value] : *map) {
        if (value.is_string()) add(key, std::string(value.as_string()));
      }
    }
    if (const auto* list = tags->if_array()) {
      for (const json::value& item : *list) {
        const auto* tag = item.if_object();
        if (tag == nullptr) continue;
        for (const auto* spelling : {"Key", "key"}) {
          const auto key = text_member(*tag, spelling);
          if (!key) continue;
          add(*key, text_member(*tag, "Value")
                        .value_or(text_member(*tag, "value").value_or(std::string())));
        }
      }
    }
  }
  for (const auto* member : {"tagKeys", "TagKeys"}) {
    const json::value* list = input.if_contains(member);
    if (list == nullptr || !list->is_array()) continue;
    for (const json::value& key : list->as_array()) {
      if (key.is_string()) names.emplace_back(key.as_string());
    }
  }
  keys.set("aws:tagkeys", std::move(names));
}

// Artifacts of component versions and the code of functions: what is in them was decided by
// CreateComponentVersion and by Lambda's operations, and who may write objects may do neither by
// that.
bool writes_servers_own(std::string_view action, std::string_view resource) {
  constexpr std::string_view kService = "s3:";
  constexpr std::string_view kBuckets = "arn:aws:s3:::";
  if (!action.starts_with(kService) || !resource.starts_with(kBuckets)) return false;
  action.remove_prefix(kService.size());
  if (action.starts_with("Get") || action.starts_with("List")) return false;
  resource.remove_prefix(kBuckets.size());
  const std::string_view bucket = resource.substr(0, resource.find('/'));
  return bucket == control::kArtifactBucket || bucket == functions::Packages::kBucket;
}

std::string shown(std::string_view text) {
  return std::string(text.substr(0, kMostShown));
}

}  // namespace

std::vector<std::string> resources_of(const AccessRow& row, const json::object& input,
                                      const Caller& caller, const fleet::Arns& arns,
                                      const control::Iam& iam, const control::Secrets* secrets) {
  std::vector<std::string> resources;
  const Resolver resolver(row, input, caller, arns, iam, secrets);
  for (const std::string_view text : base::split_words(row.resources)) {
    if (text == "*") continue;
    for (std::string& resource : resolver.resolve_all(text)) {
      resources.push_back(std::move(resource));
    }
  }
  if (resources.empty()) resources.emplace_back("*");
  return resources;
}

std::vector<std::string> Authorizer::resources(const Caller& caller, const Operation& operation,
                                               const json::object& input) const {
  const AccessRow* row = find_access_row(operation.service, operation.name);
  if (row == nullptr) return {};
  return resources_of(*row, input, caller, arns_, iam_);
}

std::optional<control::Principal> Authorizer::principal(const Caller& caller) const {
  return iam_.principals.find(caller.principal);
}

policy::Context Authorizer::keys_of(const Caller& caller) const {
  constexpr std::int64_t kMillis = 1000;
  const base::Timestamp now = clock_.now();
  policy::Context keys;
  keys.set("aws:currenttime", base::to_iso8601(now));
  keys.set("aws:epochtime", std::to_string(base::to_epoch_millis(now) / kMillis));
  keys.set("aws:securetransport", caller.is_secure ? "true" : "false");
  if (!caller.region.empty()) keys.set("aws:requestedregion", caller.region);
  if (!caller.source_ip.empty()) keys.set("aws:sourceip", caller.source_ip);
  if (!caller.user_agent.empty()) keys.set("aws:useragent", caller.user_agent);
  // A device that took a role by its alias: the session is named after the thing.
  if (!caller.certificate.empty() &&
      caller.principal.starts_with(control::Principals::kRolePrefix)) {
    keys.set("credentials-iot:thingname", caller.principal.substr(caller.principal.rfind('/') + 1));
    keys.set("credentials-iot:awscertificateid", caller.certificate);
  }
  if (caller.token_issued) keys.set("aws:tokenissuetime", base::to_iso8601(*caller.token_issued));
  return keys;
}

control::Ruling Authorizer::decide(const Caller& caller, std::string_view action,
                                   const std::string& resource, const policy::Context& keys) const {
  policy::Context all = keys_of(caller);
  all.add(keys);
  return iam_.principals.decide(caller.principal, caller.session_policy, action, resource,
                                std::move(all));
}

std::string Authorizer::sentence(const Caller& caller, std::string_view action,
                                 const std::string& resource, const std::string& because) const {
  const auto principal = iam_.principals.find(caller.principal);
  return "User: " + (principal ? principal->arn : caller.principal) +
         " is not authorized to perform: " + std::string(action) +
         " on resource: " + shown(resource) + " " + because;
}

std::optional<std::string> Authorizer::refusal(const Caller& caller, std::string_view action,
                                               const std::string& resource,
                                               const policy::Context& keys,
                                               const ResourcePolicy& of_resource) const {
  using policy::Verdict;
  if (writes_servers_own(action, resource)) {
    return sentence(caller, action, resource, "because the bucket is the server's own");
  }
  const control::Ruling own = decide(caller, action, resource, keys);
  const auto refuse = [&] {
    return sentence(caller, action, resource, control::explain(own, action));
  };
  const auto own_answer = [&]() -> std::optional<std::string> {
    if (own.is_allowed()) return std::nullopt;
    return refuse();
  };
  if (of_resource.document == nullptr) return own_answer();
  const auto principal = iam_.principals.find(caller.principal);
  const bool is_stranger = caller.principal == kAnonymousPrincipal;
  if (!principal && !is_stranger) return refuse();
  policy::Context all = keys_of(caller);
  iam_.principals.add_keys(caller.principal, all);
  all.add(keys);
  policy::Asker asker{.kind = policy::Asker::Kind::anonymous};
  if (principal) {
    const bool is_session = principal->kind == control::Principal::Kind::role_session;
    asker = {.arn = principal->arn,
             .role_arn = is_session ? principal->entity.arn : std::string(),
             .account = arns_.account()};
  }
  const policy::ResourceDecision says = policy::decide(
      *of_resource.document, asker, {.action = action, .resource = resource, .context = all});
  if (says.verdict == Verdict::denied_explicitly) {
    return sentence(caller, action, resource, "with an explicit deny in a resource-based policy");
  }
  if (own.is_allowed() || own.decision.verdict == Verdict::denied_explicitly) return own_answer();
  // A session's own policy allows no more than itself, and has not been asked about this.
  const bool may_let_in =
      is_stranger ? of_resource.lets_in_strangers : caller.session_policy.empty();
  if (says.verdict == Verdict::allowed && !says.is_delegated && may_let_in) return std::nullopt;
  return refuse();
}

std::optional<std::string> Authorizer::refusal(const Caller& caller, const Operation& operation,
                                               const json::object& input) const {
  const AccessRow* row = find_access_row(operation.service, operation.name);
  if (row == nullptr) return api::refusal(nullptr, caller, operation, input);
  const bool is_known = iam_.principals.find(caller.principal).has_value();
  if (row->who != AccessRow::Who::permitted && is_known) return std::nullopt;
  const std::string action =
      !row->action.empty() ? std::string(row->action)
                           : std::string(operation.service) + ":" + std::string(operation.name);
  policy::Context keys;
  add_tags(input, keys);
  if (row->service == "states") add_qualifier(input, keys);
  for (const std::string& resource : resources_of(*row, input, caller, arns_, iam_, secrets_)) {
    if (auto refused = refusal(caller, action, resource, keys)) return refused;
  }
  return std::nullopt;
}

std::optional<std::string> refusal(const Authorizer* authorizer, const Caller& caller,
                                   const Operation& operation, const json::object& input) {
  if (authorizer != nullptr) return authorizer->refusal(caller, operation, input);
  if (caller.principal == control::kOperatorPrincipal) return std::nullopt;
  return caller.principal + " may not use " + std::string(operation.service);
}

std::optional<std::string> refusal(const Authorizer* authorizer, const Caller& caller,
                                   std::string_view action, const std::string& resource,
                                   const policy::Context& keys, const ResourcePolicy& of_resource) {
  if (authorizer != nullptr) {
    return authorizer->refusal(caller, action, resource, keys, of_resource);
  }
  if (caller.principal == control::kOperatorPrincipal) return std::nullopt;
  return "this access key may not be used here";
}

}  // namespace andon::api
