// SPDX-License-Identifier: Apache-2.0
// Room: catalogue. What is known of every operation by its name: what a caller must be allowed,
// what it changes, what of its input is put on record, and which members are honoured.
// What a caller must be allowed for each operation of the table: the action, and on what; and what
// open pages and the audit log are told of it. An operation without a row is refused to everybody
// but the account itself, and the server does not start with one. S3 has its actions in its own
// table. Pure; any thread.
//
// Resources are written with members of the input in braces; several are separated by a blank, and
// the action must be allowed on each. "*" has none of its own. What does not begin with "arn:"
// stands behind the service's "arn:aws:<service>:<region>:<account>:".
//   thing/{thingName}          the member's text; where it is absent, so is the resource
//   thing/{thingName}{/name}   behind a slash, where the member is there
//   {arn}                      a member that is an ARN; counts with the server's own region and
//                              account, whatever the client has there
//   log-group:{@identifier}:x  a name, or what follows "log-group:" in an ARN
//   project/{@ids}             of CodeBuild: the project of a build ("NAME:UUID"), too
//   parameter/{@Names}         of SSM: without the slash in front and what selects a version; a
//                              member that is a list stands for each of its texts
//   secret:{SecretId}          of Secrets Manager: the secret's ARN; for one that is not there, "?"
//                              for each of the six letters
//   user:{UserName}            of IAM: the user's ARN with its path; where absent, the caller
//   {name}                     of CodePipeline: the pipeline's name
//   stack/{@StackName}/*       of CloudFormation: a stack's name, also of its ARN
//   rule/{EventBus/}{Name}     of EventBridge: what EventBusName says, nothing for the default bus
// Where all are absent the resource is "*"; an absent GroupName is the default group.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "api/table/catalogue/change_kind.hpp"

namespace andon::api {

struct AccessRow {
  enum class Who : std::uint8_t {
    permitted,  // whose policies allow it
    anybody,    // who has signed
    decided,    // the operation decides itself (sts:AssumeRole: the role's trust policy has a say)
  };
  std::string_view service;
  std::string_view operation;
  std::string_view resources;
  // What has changed where it was done. Each operation that writes, or gives something out that was
  // not there before (keys, tasks), says it; what reads has nothing. The audit log's read or write.
  std::optional<ChangeKind> changes = {};
  std::string_view action = {};  // empty: service:operation
  Who who = Who::permitted;
  // Members of the input, separated by blanks, whose texts the audit log keeps. Never a secret.
  std::string_view audited = {};
  // The member of the input that names the session which begins; the audit log's detail has it.
  std::string_view session = {};
};

// Null where there is none.
[[nodiscard]] const AccessRow* find_access_row(std::string_view service,
                                               std::string_view operation);

}  // namespace andon::api
