// SPDX-License-Identifier: Apache-2.0
#include "cli/access/access_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "cli/access/iam_session.hpp"
#include "cli/terminal/subcommand.hpp"
#include "cli/terminal/table.hpp"
#include "options/choice.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

// Role on the command line -> the policy that is part of the server.
using RoleAndPolicy = std::pair<std::string_view, std::string_view>;
constexpr std::array<RoleAndPolicy, 4> kPolicies = {{{"admin", "AdministratorAccess"},
                                                     {"operator", "AndonOperatorAccess"},
                                                     {"deployer", "AndonDeployerAccess"},
                                                     {"viewer", "AndonViewerAccess"}}};

struct Options {
  ServerChoice server;
  std::string name;
  std::string role;
  std::string key;
  std::string action;
  std::string resource = "*";
  bool json = false;
};

int print_key(const Options& options, const json::value& answer) {
  const base::JsonReader key = base::JsonReader(answer, "answer").child("AccessKey");
  if (options.json) {
    fmt::print("{}\n", base::json_text(key.object()));
    return 0;
  }
  fmt::print(stderr, "The secret is shown once; it cannot be had again:\n");
  fmt::print("export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\n",
             key.string("AccessKeyId"), key.string("SecretAccessKey"));
  return 0;
}

int add_user(const Options& options) {
  const auto* const policy =
      std::ranges::find(kPolicies, std::string_view(options.role), &RoleAndPolicy::first);
  IamSession session(options.server);
  (void)session.iam("CreateUser", {{"UserName", options.name}});
  if (policy != kPolicies.end()) {
    (void)session.iam("AttachUserPolicy",
                      {{"UserName", options.name},
                       {"PolicyArn", "arn:aws:iam::aws:policy/" + std::string(policy->second)}});
  }
  return print_key(options, session.iam("CreateAccessKey", {{"UserName", options.name}}));
}

int list_users(const Options& options) {
  IamSession session(options.server);
  const json::array users = session.list("ListUsers", "Users", {});
  if (options.json) {
    fmt::print("{}\n", base::json_text(users));
    return 0;
  }
  for (const json::value& user : users) {
    std::string policies;
    for (const json::value& policy : session.list("ListAttachedUserPolicies", "AttachedPolicies",
                                                  {{"UserName", text_of(user, "UserName")}})) {
      policies += " " + text_of(policy, "PolicyName");
    }
    fmt::print("{:<24}{}\n", text_of(user, "UserName"), policies);
  }
  return 0;
}

int list_roles(const Options& options) {
  IamSession session(options.server);
  const json::array roles = session.list("ListRoles", "Roles", {});
  if (options.json) {
    fmt::print("{}\n", base::json_text(roles));
    return 0;
  }
  for (const json::value& role : roles) {
    fmt::print("{:<24} {}\n", text_of(role, "RoleName"), text_of(role, "Description"));
  }
  return 0;
}

// With all that it has.
int delete_user(const Options& options) {
  IamSession session(options.server);
  const FormMembers user = {{"UserName", options.name}};
  const auto each = [&](std::string_view list, std::string_view member, const auto& act) {
    for (const json::value& item : session.list(list, member, user)) act(item);
  };
  const auto with = [&](std::string_view key, std::string value) {
    FormMembers members = user;
    members[std::string(key)] = std::move(value);
    return members;
  };
  each("ListAccessKeys", "AccessKeyMetadata", [&](const json::value& key) {
    (void)session.iam("DeleteAccessKey", with("AccessKeyId", text_of(key, "AccessKeyId")));
  });
  each("ListAttachedUserPolicies", "AttachedPolicies", [&](const json::value& policy) {
    (void)session.iam("DetachUserPolicy", with("PolicyArn", text_of(policy, "PolicyArn")));
  });
  each("ListUserPolicies", "PolicyNames", [&](const json::value& name) {
    (void)session.iam("DeleteUserPolicy", with("PolicyName", std::string(name.as_string())));
  });
  each("ListGroupsForUser", "Groups", [&](const json::value& group) {
    (void)session.iam("RemoveUserFromGroup", with("GroupName", text_of(group, "GroupName")));
  });
  try {
    (void)session.iam("DeleteLoginProfile", user);
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::not_found) throw;
  }
  (void)session.iam("DeleteUser", user);
  return 0;
}

int why(const Options& options) {
  IamSession session(options.server);
  const std::string principal =
      options.name.find('/') == std::string::npos ? "user/" + options.name : options.name;
  const json::value answer = session->rest(
      "andon", "POST", "/andon/v1/explain-access",
      {{"principal", principal}, {"action", options.action}, {"resource", options.resource}});
  if (options.json) {
    fmt::print("{}\n", base::json_text(answer));
    return 0;
  }
  const base::JsonReader reader(answer, "answer");
  const std::string decision = reader.string("decision");
  fmt::print("{}: {} on {}\n", decision == "allowed" ? "allowed" : "denied", options.action,
             options.resource);
  if (!reader.has("policy")) {
    fmt::print("  no policy of {} says anything of it\n", text_of(answer, "principal"));
    return 0;
  }
  const std::string sid = text_of(answer, "sid");
  fmt::print("  by statement {}{} of {}\n  which {} has\n", reader.integer("statement"),
             sid.empty() ? "" : " (" + sid + ")", text_of(answer, "policy"),
             text_of(answer, "from"));
  return 0;
}

int add_key(const Options& options) {
  IamSession session(options.server);
  return print_key(options, session.iam("CreateAccessKey", {{"UserName", options.name}}));
}

int list_keys(const Options& options) {
  IamSession session(options.server);
  const json::array keys =
      session.list("ListAccessKeys", "AccessKeyMetadata", {{"UserName", options.name}});
  json::array all;
  for (const json::value& item : keys) {
    json::object key = item.as_object();
    const json::value use =
        session.iam("GetAccessKeyLastUsed", {{"AccessKeyId", text_of(item, "AccessKeyId")}});
    const base::JsonReader last = base::JsonReader(use, "answer").child("AccessKeyLastUsed");
    key["LastUsedDate"] = last.optional_string("LastUsedDate").value_or("");
    key["LastUsedService"] = last.string("ServiceName");
    key["LastUsedRegion"] = last.string("Region");
    all.push_back(std::move(key));
  }
  if (options.json) {
    fmt::print("{}\n", base::json_text(all));
    return 0;
  }
  for (const json::value& key : all) {
    const std::string used = text_of(key, "LastUsedDate");
    fmt::print("{} {:<9} {}  {}\n", text_of(key, "AccessKeyId"), text_of(key, "Status"),
               text_of(key, "CreateDate"),
               used.empty()
                   ? "not used yet"
                   : fmt::format("used {} for {} in {}", used, text_of(key, "LastUsedService"),
                                 text_of(key, "LastUsedRegion")));
  }
  return 0;
}

int delete_key(const Options& options) {
  IamSession session(options.server);
  (void)session.iam("DeleteAccessKey", {{"UserName", options.name}, {"AccessKeyId", options.key}});
  return 0;
}

}  // namespace

void add_access_commands(CLI::App& app, std::function<int()>& selected) {
  const auto options = std::make_shared<Options>();
  const auto add = [&](CLI::App* group, const char* name, const char* help,
                       int (*run)(const Options&)) {
    CLI::App* command = group->add_subcommand(name, help);
    add_server_options(*command, options->server);
    command->add_flag("--json", options->json, "Print JSON");
    command->callback(
        [options, run, &selected] { selected = [options, run] { return run(*options); }; });
    return command;
  };
  const auto user = [&](CLI::App* command) {
    command->add_option("user", options->name, "Name of the user")->required();
    return command;
  };

  CLI::App* users = noun(app, "user", "People and programs that use the server");
  user(add(users, "add", "Make a user and an access key", add_user))
      ->add_option("--role", options->role, "What it may do: admin, operator, deployer, viewer")
      ->check(options::one_of({"admin", "operator", "deployer", "viewer"}));
  add(users, "list", "Users and the policies attached to them", list_users);
  user(add(users, "delete", "Delete a user with its keys and policies", delete_user));
  CLI::App* why_command = add(users, "why", "Say why somebody may do something, or may not", why);
  why_command
      ->add_option("principal", options->name, "A user's name, user/NAME, group/NAME, role/NAME")
      ->required();
  why_command->add_option("action", options->action, "greengrass:CreateDeployment, s3:GetObject")
      ->required();
  why_command->add_option("resource", options->resource, "An ARN")->capture_default_str();

  CLI::App* keys = noun(app, "key", "Access keys of users");
  user(add(keys, "add", "Make another access key", add_key));
  user(add(keys, "list", "Keys of a user", list_keys));
  user(add(keys, "delete", "Delete an access key", delete_key))
      ->add_option("key", options->key, "AKIA...")
      ->required();

  CLI::App* roles = noun(app, "role", "Roles that can be taken for a while");
  add(roles, "list", "Roles", list_roles);
}

}  // namespace andon::cli
