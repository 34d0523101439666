// SPDX-License-Identifier: Apache-2.0
// Room: names. How server and device call things and each other: ARNs, MQTT topics, reasons of a
// refusal.
// Amazon Resource Names of what the control plane holds: written with the server's own region and
// account, read with any (a client may sign for another region). Values; pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace andon::fleet {

class Arns {
 public:
  explicit Arns(std::string region = "us-east-1", std::string account = "000000000000")
      : region_(std::move(region)), account_(std::move(account)) {}

  [[nodiscard]] const std::string& region() const { return region_; }
  [[nodiscard]] const std::string& account() const { return account_; }

  [[nodiscard]] std::string thing(std::string_view name) const;
  [[nodiscard]] std::string thing_group(std::string_view name) const;
  [[nodiscard]] std::string certificate(std::string_view id) const;
  [[nodiscard]] std::string job(std::string_view id) const;
  [[nodiscard]] std::string component(std::string_view name) const;
  [[nodiscard]] std::string component_version(std::string_view name,
                                              std::string_view version) const;
  [[nodiscard]] std::string deployment(std::string_view id) const;
  [[nodiscard]] std::string core_device(std::string_view thing) const;
  [[nodiscard]] std::string log_group(std::string_view name) const;
  // Of EventBridge: what says how an HTTP endpoint is called. `id` is a UUID.
  [[nodiscard]] std::string connection(std::string_view name, std::string_view id) const;
  // `target` is "thing/<name>" or "thinggroup/<name>".
  [[nodiscard]] std::string target(std::string_view target) const;
  [[nodiscard]] std::string configuration(std::string_view target, std::int64_t revision) const;

 private:
  [[nodiscard]] std::string make(std::string_view service, std::string_view resource) const;

  std::string region_;
  std::string account_;
};

// What a deployment is for.
struct Target {
  enum class Kind { thing, thing_group };
  Kind kind = Kind::thing;
  std::string name;

  [[nodiscard]] std::string key() const;  // "thing/<name>", "thinggroup/<name>"
  bool operator==(const Target&) const = default;
};
[[nodiscard]] std::optional<Target> parse_target_key(std::string_view key);
[[nodiscard]] std::optional<Target> parse_target_arn(std::string_view arn);

// The id in "arn:aws:iot:...:cert/<id>"; nothing for what is no certificate's.
[[nodiscard]] std::optional<std::string> parse_certificate_arn(std::string_view arn);

// "...:configuration:thing/dev1:3".
struct ConfigurationRef {
  Target target;
  std::int64_t revision = 0;
};
[[nodiscard]] std::optional<ConfigurationRef> parse_configuration_arn(std::string_view arn);

// "thinggroup/G1" of "...:configuration:thinggroup/G1:7"; the ARN itself where it is not of that
// form.
[[nodiscard]] std::string target_of(std::string_view configuration_arn);

// "...:components:<name>" and "...:components:<name>:versions:<version>".
struct ComponentRef {
  std::string name;
  std::optional<std::string> version;
};
[[nodiscard]] std::optional<ComponentRef> parse_component_arn(std::string_view arn);

// The name in "...:log-group:<name>", also with the ":*" behind it that stands for its streams.
struct LogGroupRef {
  std::string name;
  bool has_streams = false;  // the ":*"
};
[[nodiscard]] std::optional<LogGroupRef> parse_log_group_arn(std::string_view arn);
// "...:connection/<name>/<id>".
struct ConnectionRef {
  std::string name;
  std::string id;
};
[[nodiscard]] std::optional<ConnectionRef> parse_connection_arn(std::string_view arn);

// Thing and group names as AWS has them: 1 to 128 of [a-zA-Z0-9:_-].
[[nodiscard]] bool is_thing_name(std::string_view name);

}  // namespace andon::fleet
