// SPDX-License-Identifier: Apache-2.0
// Names and ARNs of state machines, executions, activities and map runs, as AWS writes them.
// Values; pure; any thread. Readers throw Refusal(InvalidArn), checks Refusal(InvalidName).
#pragma once

#include <string>
#include <string_view>

namespace andon::workflow {

class Arns {
 public:
  explicit Arns(std::string region = "us-east-1", std::string account = "000000000000")
      : region_(std::move(region)), account_(std::move(account)) {}

  [[nodiscard]] const std::string& region() const { return region_; }
  [[nodiscard]] const std::string& account() const { return account_; }
  [[nodiscard]] std::string machine(std::string_view name) const;
  [[nodiscard]] std::string activity(std::string_view name) const;
  [[nodiscard]] std::string execution(std::string_view machine, std::string_view name) const;
  // `run`: a UUID, new with each start.
  [[nodiscard]] std::string express(std::string_view machine, std::string_view name,
                                    std::string_view run) const;

 private:
  [[nodiscard]] std::string make(std::string_view rest) const;

  std::string region_;
  std::string account_;
};

// "arn:aws:states:R:A:stateMachine:M" with ":3" (a version) or ":PROD" (an alias) behind it.
struct MachineArn {
  std::string unqualified;
  std::string name;
  std::string qualifier;

  [[nodiscard]] bool is_version() const;
  [[nodiscard]] bool is_alias() const { return !qualifier.empty() && !is_version(); }
};
// A labelled ARN (M/LABEL) is refused: ValidationException.
[[nodiscard]] MachineArn read_machine_arn(const std::string& arn);

enum class ExecutionKind { standard, express };
struct ExecutionArn {
  ExecutionKind kind = ExecutionKind::standard;
  std::string machine;  // M, or M/LABEL
  std::string name;
};
[[nodiscard]] ExecutionArn read_execution_arn(const std::string& arn);
// The same, where only Standard executions will do.
void check_standard_execution_arn(const std::string& arn);
void check_activity_arn(const std::string& arn);
void check_map_run_arn(const std::string& arn);

// The machine's part "M/LABEL" of a map run's ARN.
[[nodiscard]] std::string machine_of_map_run(const std::string& arn);

// 1 to 80 characters, none that ARNs or URLs cannot hold.
void check_name(const std::string& name);
void check_alias_name(const std::string& name);

}  // namespace andon::workflow
